// "bert": WordPiece (Schuster and Nakajima 2012; github.com/google-research/bert): a text is cut
// into words (core/text/bert_words.h), and each word into the longest tokens from its front.
#pragma once

#include <memory>

#include "llm/files/model_file.h"
#include "llm/text/tokenizer.h"

namespace sworn::llm {

/// Longer words are unknown.
inline constexpr std::size_t kMaxWordPieceCharacters = 100;

/// Tokens as GGUF writes them: U+2581 before what begins a word, nothing before what goes on.
/// "sworn.tokenizer.clean", ".cjk", ".lowercase" and ".strip_accents" are the rules of its words,
/// true where the file does not say, ".strip_accents" as ".lowercase". The tokenizer's bos is
/// [CLS], its end [SEP]. Throws kIntegrity without [UNK], [CLS] or [SEP].
///
/// Decode joins words by one space, as Encode does not keep what stood between them.
std::unique_ptr<const Tokenizer> MakeWordPieceTokenizer(const ModelFile& file);

}  // namespace sworn::llm
