#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/service/knowledge_base.h"
#include "indexer/extract/media_type.h"
#include "indexer/extract/ocr.h"
#include "indexer/extract/sandbox.h"
#include "indexer/extract/tool_conversion.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t kLowDiskBytes = 1ULL << 30;

void CheckSandbox(std::vector<DoctorFinding>& findings) {
  const indexer::SandboxReport sandbox = indexer::DescribeSandbox();
  findings.push_back({"extraction sandbox: seccomp", sandbox.seccomp, true, sandbox.description});
  findings.push_back({"extraction sandbox: Landlock", sandbox.landlock_abi > 0, false,
                      sandbox.landlock_abi > 0
                          ? "version " + std::to_string(sandbox.landlock_abi)
                          : "the kernel has none; seccomp still keeps workers from writing"});
}

void CheckConverters(std::vector<DoctorFinding>& findings) {
  constexpr std::pair<std::string_view, std::string_view> kFormats[] = {
      {"doc", indexer::media::kDoc},
      {"xls", indexer::media::kXls},
      {"ppt", indexer::media::kPpt},
      {"msg", indexer::media::kMsg},
      {"rtf", indexer::media::kRtf}};
  for (const auto& [name, type] : kFormats) {
    for (const indexer::ToolCommand& tool : indexer::ToolsFor(type)) {
      const bool there = fs::exists(tool.program);
      findings.push_back(
          {std::string(name) + " files: " + tool.program.filename().native(), there, false,
           there ? tool.program.native() : "missing: install Debian's package " + tool.package});
    }
  }
  const auto symbols = indexer::SymbolToolFor(indexer::media::kCpp, "");
  const bool there = fs::exists(symbols->command.program);
  findings.push_back({"code files: ctags", there, false,
                      there ? symbols->command.program.native()
                            : "missing: code is not cut at its symbols (Debian's package " +
                                  symbols->command.package + ")"});
  const auto ocr = indexer::OcrCommand();
  findings.push_back({"scanned pages: tesseract", ocr.has_value(), false,
                      ocr ? ocr->program.native()
                          : "missing: scanned PDFs are reported as 'needs OCR' "
                            "(Debian's package tesseract-ocr)"});
}

void CheckFolder(const Config& config, std::vector<DoctorFinding>& findings) {
  fs::path existing = fs::absolute(config.kb);
  const bool there = fs::exists(existing / "kb.json");
  while (!fs::exists(existing)) existing = existing.parent_path();
  std::error_code error;
  const fs::space_info space = fs::space(existing, error);
  findings.push_back({"knowledge base", there, false,
                      there ? config.kb.native()
                            : "none yet in '" + config.kb.native() + "'; `sworn index` makes it"});
  findings.push_back(
      {"disk space", !error && space.available >= kLowDiskBytes, true,
       error ? error.message() : std::to_string(space.available >> 20) + " MiB free"});
  if (!there) return;
  const auto mode = fs::status(config.kb).permissions();
  const bool is_private =
      (mode & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none;
  findings.push_back({"folder permissions", is_private, true,
                      is_private ? "only the owner may enter"
                                 : "others may enter '" + config.kb.native() + "': chmod 700 it"});
}

}  // namespace

std::vector<DoctorFinding> Doctor(const Config& config) {
  std::vector<DoctorFinding> findings;
  CheckFolder(config, findings);
  CheckSandbox(findings);
  CheckConverters(findings);
  return findings;
}

}  // namespace sworn::service
