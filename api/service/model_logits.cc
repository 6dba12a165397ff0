#include "api/service/model_logits.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <unistd.h>

#include "api/service/kernel_choice.h"
#include "core/error.h"
#include "llm/graph/kv_cache.h"
#include "llm/graph/model.h"
#include "llm/graph/thread_team.h"
#include "llm/graph/transformer.h"

namespace sworn::service {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::size_t kMaxTokens = std::size_t{1} << 20;
// Tokens whose logits are in memory at a time: 64 MB for a vocabulary of 128,256.
constexpr std::size_t kStepTokens = 128;

std::vector<llm::Token> ReadTokens(const std::filesystem::path& path) {
  const std::string bytes = ReadFile(path, kMaxTokens * sizeof(llm::Token));
  if (bytes.empty() || bytes.size() % sizeof(llm::Token) != 0) {
    throw Error(ErrorCode::kInvalidArgument, "'" + path.native() + "' has " +
                                                 std::to_string(bytes.size()) +
                                                 " bytes, which are no 32-bit numbers");
  }
  std::vector<llm::Token> tokens(bytes.size() / sizeof(llm::Token));
  std::memcpy(tokens.data(), bytes.data(), bytes.size());
  return tokens;
}

// Writes beside its target and takes the target's name at the end, or leaves nothing.
class StagedFile {
 public:
  StagedFile(const std::filesystem::path& target, FileOps& ops)
      : target_(target), aside_(target.native() + ".new"), ops_(ops) {
    fd_ = FileDescriptor(
        ::open(aside_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
    if (!fd_.valid()) throw SystemError(errno, "cannot write", aside_.native());
  }
  ~StagedFile() {
    if (fd_.valid()) ::unlink(aside_.c_str());
  }
  StagedFile(const StagedFile&) = delete;
  StagedFile& operator=(const StagedFile&) = delete;

  void Write(std::span<const float> values) {
    const std::string_view bytes(reinterpret_cast<const char*>(values.data()), values.size_bytes());
    ops_.Write(fd_.get(), bytes, aside_);
  }
  void Finish() {
    ops_.SyncFile(fd_.get(), aside_);
    ops_.Rename(aside_, target_);
    fd_ = FileDescriptor();
  }

 private:
  std::filesystem::path target_;
  std::filesystem::path aside_;
  FileOps& ops_;
  FileDescriptor fd_;
};

}  // namespace

LogitsReport WriteLogits(const Config& config, const LogitsRequest& request, FileOps& ops,
                         const CancelFlag& cancel) {
  const kernels::KernelTable& kernels = ChooseKernels(config);
  const std::vector<llm::Token> tokens = ReadTokens(request.tokens);
  llm::ThreadTeam team(ChooseThreads(config));
  const std::shared_ptr<const llm::Model> model =
      llm::Model::Load(llm::OpenModelFile(request.model), kernels, team);
  if (tokens.size() > model->config().context) {
    throw Error(ErrorCode::kTooLarge,
                "'" + request.tokens.native() + "' has " + std::to_string(tokens.size()) +
                    " tokens; the model's context is " + std::to_string(model->config().context));
  }
  llm::KvCache cache(model->config(), tokens.size());
  llm::Transformer transformer(*model, team);
  const std::size_t vocabulary = model->config().vocabulary;
  std::vector<float> logits(std::min(tokens.size(), kStepTokens) * vocabulary);
  StagedFile out(request.out, ops);
  while (cache.length() < tokens.size()) {
    const std::size_t count = std::min(kStepTokens, tokens.size() - cache.length());
    const std::span<const float> hidden =
        transformer.Forward(std::span(tokens).subspan(cache.length(), count), count, cache, cancel);
    model->head().Logits(hidden, count, team, logits.data());
    out.Write(std::span(logits).first(count * vocabulary));
  }
  out.Finish();
  return {.tokens = tokens.size(),
          .vocabulary = vocabulary,
          .kernels = std::string(kernels.name),
          .threads = team.size()};
}

}  // namespace sworn::service
