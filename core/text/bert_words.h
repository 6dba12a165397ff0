// The words that a BERT vocabulary is looked up with.
//
// "Basic tokenisation" of github.com/google-research/bert (tokenization.py), with the classes of
// characters as Unicode has them; Hugging Face's BertNormalizer and BertPreTokenizer cut alike.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sworn::text {

struct BertWordRules {
  bool clean = true;          // control characters go, any white space is a space
  bool cjk = true;            // every CJK ideograph is a word
  bool strip_accents = true;  // canonical decomposition, then marks without a width go
  bool lowercase = true;
};

/// The words of valid UTF-8 in their order, cut at white space; every punctuation character is a
/// word of its own. Throws kTooLarge for more than 1 GiB.
std::vector<std::string> BertWords(std::string_view utf8, const BertWordRules& rules);

}  // namespace sworn::text
