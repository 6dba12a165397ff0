#include "indexer/extract/formats.h"
#include "indexer/extract/media_type.h"
#include "tests/fuzz/check_extraction.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  return sworn::test::FuzzExtractor(&sworn::indexer::ExtractOdt, sworn::indexer::media::kOdt, data,
                                    size);
}
