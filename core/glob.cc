#include "core/glob.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>

#include "core/error.h"

namespace sworn {
namespace {

// Bytes that are no UTF-8 become characters above Unicode, so they equal only themselves.
constexpr char32_t kRawByte = 0x110000;

/// The character at `at`, which moves behind it.
char32_t NextCharacter(std::string_view text, std::size_t& at) {
  const auto byte = [&](std::size_t index) { return static_cast<unsigned char>(text[index]); };
  const unsigned char lead = byte(at);
  std::size_t length = 1;
  char32_t value = lead;
  if (lead >= 0xC2 && lead < 0xE0) {
    length = 2;
    value = lead & 0x1FU;
  } else if (lead >= 0xE0 && lead < 0xF0) {
    length = 3;
    value = lead & 0x0FU;
  } else if (lead >= 0xF0 && lead < 0xF5) {
    length = 4;
    value = lead & 0x07U;
  } else if (lead >= 0x80) {
    ++at;
    return kRawByte + lead;
  }
  if (at + length > text.size()) {
    ++at;
    return kRawByte + lead;
  }
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(at + i) & 0xC0U) != 0x80) {
      ++at;
      return kRawByte + lead;
    }
    value = (value << 6U) | (byte(at + i) & 0x3FU);
  }
  at += length;
  return value;
}

std::vector<char32_t> Characters(std::string_view text) {
  std::vector<char32_t> characters;
  characters.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) characters.push_back(NextCharacter(text, at));
  return characters;
}

[[noreturn]] void Refuse(std::string_view pattern, const char* why) {
  throw Error(ErrorCode::kInvalidArgument, "pattern '" + std::string(pattern) + "': " + why);
}

/// Index of the character behind the bracket expression that opens at `open`.
std::size_t SkipClass(std::string_view pattern, std::size_t open) {
  std::size_t at = open + 1;
  if (at < pattern.size() && (pattern[at] == '!' || pattern[at] == '^')) ++at;
  if (at < pattern.size() && pattern[at] == ']') ++at;  // a bracket in first place is literal
  while (at < pattern.size() && pattern[at] != ']') at += pattern[at] == '\\' ? 2U : 1U;
  if (at >= pattern.size()) Refuse(pattern, "'[' without ']'");
  return at + 1;
}

struct Braces {
  std::size_t open = 0;
  std::size_t close = 0;
  std::vector<std::string_view> choices;
};

/// The first outermost {..} of a pattern; false when it has none.
bool FindBraces(std::string_view pattern, Braces& found) {
  int depth = 0;
  std::size_t choice = 0;
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (c == '\\') {
      at += 2;
      continue;
    }
    if (c == '[') {
      at = SkipClass(pattern, at);
      continue;
    }
    if (c == '{' && depth++ == 0) {
      found.open = at;
      choice = at + 1;
    } else if (c == ',' && depth == 1) {
      found.choices.push_back(pattern.substr(choice, at - choice));
      choice = at + 1;
    } else if (c == '}' && depth > 0 && --depth == 0) {
      found.choices.push_back(pattern.substr(choice, at - choice));
      found.close = at;
      return true;
    }
    ++at;
  }
  if (depth > 0) Refuse(pattern, "'{' without '}'");
  return false;
}

std::vector<std::string> ExpandBraces(std::string_view pattern) {
  std::vector<std::string> open{std::string(pattern)};
  std::vector<std::string> done;
  while (!open.empty()) {
    const std::string current = std::move(open.back());
    open.pop_back();
    Braces braces;
    if (!FindBraces(current, braces)) {
      done.push_back(current);
    } else {
      for (const std::string_view choice : braces.choices) {
        open.push_back(current.substr(0, braces.open) + std::string(choice) +
                       current.substr(braces.close + 1));
      }
    }
    if (open.size() + done.size() > kMaxGlobAlternatives) Refuse(pattern, "too many choices");
  }
  return done;
}

}  // namespace

struct Glob::Token {
  enum class Kind {
    kCharacter,
    kAny,      // ?
    kClass,    // [...]
    kStar,     // *
    kAcross,   // **
    kFolders,  // **/ at the start of a path component: nothing, or any folders
  };
  Kind kind = Kind::kCharacter;
  char32_t character = 0;
  bool negated = false;
  std::vector<std::pair<char32_t, char32_t>> ranges;

  [[nodiscard]] bool Takes(char32_t c) const {
    switch (kind) {
      case Kind::kCharacter:
        return c == character;
      case Kind::kAny:
      case Kind::kStar:
        return c != U'/';
      case Kind::kAcross:
      case Kind::kFolders:
        return true;
      case Kind::kClass:
        break;
    }
    const bool inside = std::any_of(ranges.begin(), ranges.end(), [c](const auto& range) {
      return range.first <= c && c <= range.second;
    });
    return c != U'/' && inside != negated;
  }
};

/// One pattern without braces, run as a nondeterministic automaton: state i waits for token i.
struct Glob::Alternative {
  std::vector<Token> tokens;

  explicit Alternative(std::string_view pattern) {
    for (std::size_t at = 0; at < pattern.size();) tokens.push_back(Parse(pattern, at));
  }

  [[nodiscard]] bool Matches(const std::vector<char32_t>& path, bool or_tail) const {
    std::vector<bool> states(tokens.size() + 1);
    std::vector<bool> next(tokens.size() + 1);
    Enter(states, 0);
    for (const char32_t c : path) {
      std::fill(next.begin(), next.end(), false);
      for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (states[i] && tokens[i].Takes(c)) Advance(next, i, c);
      }
      if (or_tail && c == U'/') Enter(next, 0);
      states.swap(next);
    }
    return states[tokens.size()];
  }

 private:
  /// Reaches state `i` anew; tokens that may match nothing are passed at once.
  void Enter(std::vector<bool>& states, std::size_t i) const {
    states[i] = true;
    while (i < tokens.size() && MayBeEmpty(tokens[i].kind)) states[++i] = true;
  }

  void Advance(std::vector<bool>& next, std::size_t i, char32_t c) const {
    switch (tokens[i].kind) {
      case Token::Kind::kStar:
      case Token::Kind::kAcross:
        Enter(next, i);
        break;
      case Token::Kind::kFolders:
        next[i] = true;  // in the middle of a folder's name: only a slash leads out
        if (c == U'/') Enter(next, i + 1);
        break;
      default:
        Enter(next, i + 1);
    }
  }

  static bool MayBeEmpty(Token::Kind kind) {
    return kind == Token::Kind::kStar || kind == Token::Kind::kAcross ||
           kind == Token::Kind::kFolders;
  }

  static Token Parse(std::string_view pattern, std::size_t& at) {
    Token token;
    if (pattern[at] == '*') {
      const bool component_start = at == 0 || pattern[at - 1] == '/';
      std::size_t stars = 0;
      while (at < pattern.size() && pattern[at] == '*') {
        ++at;
        ++stars;
      }
      token.kind = stars == 1 ? Token::Kind::kStar : Token::Kind::kAcross;
      if (stars > 1 && component_start && at < pattern.size() && pattern[at] == '/') {
        token.kind = Token::Kind::kFolders;
        ++at;
      }
    } else if (pattern[at] == '?') {
      token.kind = Token::Kind::kAny;
      ++at;
    } else if (pattern[at] == '[') {
      ParseClass(pattern, at, token);
    } else {
      if (pattern[at] == '\\' && ++at == pattern.size()) Refuse(pattern, "ends in a backslash");
      token.character = NextCharacter(pattern, at);
    }
    return token;
  }

  static void ParseClass(std::string_view pattern, std::size_t& at, Token& token) {
    const std::size_t end = SkipClass(pattern, at) - 1;  // of the closing bracket
    token.kind = Token::Kind::kClass;
    ++at;
    if (pattern[at] == '!' || pattern[at] == '^') {
      token.negated = true;
      ++at;
    }
    while (at < end) {
      if (pattern[at] == '\\') ++at;
      const char32_t first = NextCharacter(pattern, at);
      char32_t last = first;
      if (at + 1 < end && pattern[at] == '-') {
        ++at;
        if (pattern[at] == '\\') ++at;
        last = NextCharacter(pattern, at);
      }
      token.ranges.emplace_back(first, last);
    }
    at = end + 1;
    if (token.ranges.empty()) Refuse(pattern, "an empty class");
  }
};

Glob::Glob(std::string_view pattern) {
  if (pattern.empty()) Refuse(pattern, "is empty");
  if (pattern.size() > kMaxGlobBytes) Refuse(pattern.substr(0, 64), "is too long");
  for (const std::string& plain : ExpandBraces(pattern)) alternatives_.emplace_back(plain);
}

Glob::~Glob() = default;
Glob::Glob(Glob&&) noexcept = default;
Glob& Glob::operator=(Glob&&) noexcept = default;

bool Glob::Matches(std::string_view path) const {
  const std::vector<char32_t> characters = Characters(path);
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const Alternative& one) { return one.Matches(characters, false); });
}

bool Glob::MatchesPathOrTail(std::string_view path) const {
  const std::vector<char32_t> characters = Characters(path);
  return std::any_of(alternatives_.begin(), alternatives_.end(),
                     [&](const Alternative& one) { return one.Matches(characters, true); });
}

}  // namespace sworn
