#include <string>
#include <utility>

#include "indexer/extract/wire.h"
#include "tests/fuzz/check_extraction.h"

// The input is a reply's three parts: a head that says where the parts end, then the parts.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kHeadBytes = 4;
  if (size < kHeadBytes) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t json_bytes = static_cast<std::size_t>(data[0]) * 256 + data[1];
  const std::size_t body_bytes = static_cast<std::size_t>(data[2]) * 256 + data[3];
  const std::string_view rest = input.substr(kHeadBytes);
  const std::string_view after_json = rest.substr(std::min(json_bytes, rest.size()));
  sworn::indexer::Frame frame;
  frame.json = rest.substr(0, json_bytes);
  frame.body = after_json.substr(0, body_bytes);
  frame.records = after_json.substr(std::min(body_bytes, after_json.size()));
  try {
    const sworn::indexer::WorkerReply reply = sworn::indexer::DecodeReply(std::move(frame));
    sworn::test::CheckExtractedText(reply.extraction.text);
  } catch (const sworn::Error& error) {
    sworn::test::Require(error.code() == sworn::ErrorCode::kIntegrity);
  }
  return 0;
}
