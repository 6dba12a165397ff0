// The encoder once more, in plain loops and double: what the engine is compared with. It calls no
// kernel and rounds nothing.
#pragma once

#include <span>
#include <vector>

#include "llm/text/tokenizer.h"
#include "tests/support/tiny_encoder.h"

namespace sworn::llm::test {

/// The hidden states [tokens, hidden] of one text.
std::vector<float> ReferenceEncoder(sworn::test::TinyEncoder& model, std::span<const Token> tokens);

}  // namespace sworn::llm::test
