// Text recognition for pages without a text layer, by tesseract where it is installed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "indexer/extract/tool_conversion.h"
#include "indexer/extracted.h"

namespace sworn::indexer {

inline constexpr std::uint32_t kOcrDotsPerInch = 200;
inline constexpr std::size_t kMaxOcrPages = 500;  // of one document; the others get a warning

/// The command that reads a picture and prints its text, with the languages whose data lies in
/// `data_folder`; none if the program or all of the data is missing.
std::optional<ToolCommand> OcrCommand(
    const std::filesystem::path& program = "/usr/bin/tesseract",
    const std::filesystem::path& data_folder = "/usr/share/tesseract-ocr/5/tessdata");

/// `text` with the recognised text of some pages put in its place, those blocks marked `ocr`.
ExtractedText InsertOcrPages(const ExtractedText& text,
                             const std::map<std::uint32_t, std::string>& recognised);

/// "3, 5-7"
std::string DescribePages(const std::vector<std::uint32_t>& pages);

}  // namespace sworn::indexer
