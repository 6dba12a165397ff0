// Encoders of BERT's family on random weights of true shapes: tokens a second of passages of mixed
// length, and the time of one question.
//
//   encoder_bench [--shape minilm|bge-small|bge-base] [--type f32|f16|int8] [--threads N]
//                 [--passages N] [--rounds N]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "kernels/kernels.h"
#include "llm/embed/encoder_embedder.h"
#include "llm/files/import.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_encoder.h"

namespace sworn::llm {
namespace {

using Clock = std::chrono::steady_clock;

struct Settings {
  std::string shape = "minilm";
  std::string type = "int8";
  std::size_t threads = AvailableCores();
  std::size_t passages = 200;
  std::size_t rounds = 5;
};

Settings Parse(int argc, char** argv) {
  Settings settings;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string_view name = argv[i];
    const std::string value = argv[i + 1];
    const std::size_t number = std::strtoull(value.c_str(), nullptr, 10);
    if (name == "--shape") settings.shape = value;
    if (name == "--type") settings.type = value;
    if (name == "--threads") settings.threads = number;
    if (name == "--passages") settings.passages = number;
    if (name == "--rounds") settings.rounds = number;
  }
  return settings;
}

sworn::test::TinyEncoderOptions ShapeOf(const Settings& settings) {
  sworn::test::TinyEncoderOptions options;
  options.hidden = settings.shape == "bge-base" ? 768 : 384;
  options.layers = settings.shape == "minilm" ? 6 : 12;
  options.heads = 12;
  options.ffn = 4 * options.hidden;
  options.positions = 512;
  options.linear = settings.type == "f16" ? DType::kF16 : DType::kF32;
  return options;
}

// Words of one token each: 10 to 300 of them, as passages have.
std::vector<std::string> Texts(std::size_t count) {
  std::mt19937 random(1);
  std::vector<std::string> texts(count);
  for (std::string& text : texts) {
    for (std::size_t words = 10 + random() % 291; words > 0; --words) {
      text += static_cast<char>('a' + random() % 26);
      text += ' ';
    }
  }
  return texts;
}

double Seconds(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void Run(const Settings& settings) {
  const sworn::test::TempFolder folder;
  auto path = folder.path() / "model.gguf";
  WriteTinyEncoderGguf(MakeTinyEncoder(ShapeOf(settings)), path);
  if (settings.type == "int8") {
    FileOps ops;
    const auto int8 = folder.path() / "int8.gguf";
    ImportModel(
        path, int8, {.pre_tokenizer = {}, .int8 = true}, ops, [](std::uint64_t, std::uint64_t) {},
        CancelFlag());
    path = int8;
  }
  ThreadTeam team(settings.threads);
  const auto& kernels = *kernels::RunnableKernels().front();
  const auto model = EncoderModel::Load(OpenModelFile(path), kernels, team);
  const EncoderEmbedder embedder("bench", "", model, team, {"", "", "mean"});
  const std::vector<std::string> texts = Texts(settings.passages);
  const std::vector<std::string_view> views(texts.begin(), texts.end());
  std::size_t tokens = 0;
  for (const std::string& text : texts) tokens += model->Encode(text).size();
  std::vector<double> rates;
  std::vector<double> questions;
  for (std::size_t round = 0; round < settings.rounds; ++round) {
    auto begin = Clock::now();
    static_cast<void>(embedder.EmbedPassages(views));
    rates.push_back(static_cast<double>(tokens) / Seconds(begin));
    begin = Clock::now();
    static_cast<void>(embedder.EmbedQuery("what is the notice period of the contract"));
    questions.push_back(Seconds(begin) * 1e3);
  }
  std::printf("%s %s, %zu threads, kernels %s: %.0f tokens/s, %.2f ms a question\n",
              settings.shape.c_str(), settings.type.c_str(), settings.threads,
              std::string(kernels.name).c_str(), Median(rates), Median(questions));
}

}  // namespace
}  // namespace sworn::llm

int main(int argc, char** argv) {
  try {
    sworn::llm::Run(sworn::llm::Parse(argc, argv));
  } catch (const sworn::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
