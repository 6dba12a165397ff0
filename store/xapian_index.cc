#include "store/xapian_index.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <map>
#include <string>
#include <system_error>

#include <xapian.h>

#include "core/error.h"
#include "core/file.h"

namespace sworn::store {

namespace fs = std::filesystem;

namespace {

// A passage with one more identifier stands above any BM25 sum of kMaxQueryTerms words (each below
// (k1 + 1)(k3 + 1) ln N, some hundreds). A power of two, so that adding it loses no more than the
// lowest bits of a score: with 64 tiers a score keeps a resolution of 2^-27.
constexpr double kTierWeight = 1048576;
constexpr std::size_t kMaxTierTerms = 64;
constexpr int kBuildFlags =
    Xapian::DB_CREATE | Xapian::DB_BACKEND_GLASS | Xapian::DB_NO_SYNC | Xapian::DB_DANGEROUS;

/// Runs `work` and turns Xapian's exceptions into ours.
template <typename Work>
auto Translated(const std::string& what, Work&& work) -> decltype(work()) {
  try {
    return work();
  } catch (const Xapian::DatabaseCorruptError& error) {
    throw Error(ErrorCode::kIntegrity, what + ": " + error.get_msg());
  } catch (const Xapian::DatabaseOpeningError& error) {
    throw Error(ErrorCode::kIntegrity, what + ": " + error.get_msg());
  } catch (const Xapian::Error& error) {
    const char* reason = error.get_error_string();
    const std::string text =
        what + ": " + error.get_msg() + (reason != nullptr ? std::string(": ") + reason : "");
    // Xapian gives the errno as words only.
    const bool full =
        reason != nullptr && (std::string_view(reason) == std::generic_category().message(ENOSPC) ||
                              std::string_view(reason) == std::generic_category().message(EDQUOT));
    throw Error(full ? ErrorCode::kNoSpace : ErrorCode::kInternal, text);
  }
}

void RemoveFolder(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) throw SystemError(error.value(), "cannot delete", folder.native());
}

/// The docid that a shard gave, from the one of the joint database.
std::uint32_t OwnId(Xapian::docid joint, std::size_t shards) {
  return static_cast<std::uint32_t>((joint - 1) / shards + 1);
}

class Accepting : public Xapian::MatchDecider {
 public:
  explicit Accepting(const std::function<bool(std::uint32_t)>& accept) : accept_(accept) {}
  bool operator()(const Xapian::Document& document) const override {
    return accept_(document.get_docid());
  }

 private:
  const std::function<bool(std::uint32_t)>& accept_;
};

Xapian::Query WordQuery(const text::TermAlternatives& word) {
  const double rounded = std::floor(word.weight);
  const bool whole = rounded == word.weight && rounded >= 1 && rounded <= 1000;
  const Xapian::termcount wqf = whole ? static_cast<Xapian::termcount>(rounded) : 1;
  std::vector<Xapian::Query> terms;
  terms.reserve(word.terms.size());
  for (const std::string& term : word.terms) terms.emplace_back(term, wqf);
  Xapian::Query best(Xapian::Query::OP_MAX, terms.begin(), terms.end());
  if (whole) return best;
  return {Xapian::Query::OP_SCALE_WEIGHT, best, std::max(0.0, word.weight)};
}

/// "en:" of "en:run".
std::string_view LanguageOf(std::string_view term) { return term.substr(0, term.find(':') + 1); }

/// The words within the phrase's window and in order, in any one of the languages: Xapian's phrases
/// take plain terms only. A word without a term in one language is a stop word there.
Xapian::Query PhraseQuery(const text::Phrase& phrase) {
  std::map<std::string_view, std::vector<std::string>> languages;
  for (const text::TermAlternatives& word : phrase.words) {
    for (const std::string& term : word.terms) languages[LanguageOf(term)].push_back(term);
  }
  std::vector<Xapian::Query> any;
  for (const auto& [language, terms] : languages) {
    const auto window =
        static_cast<Xapian::termcount>(std::max<std::size_t>(phrase.window, terms.size()));
    any.push_back(terms.size() == 1 ? Xapian::Query(terms.front())
                                    : Xapian::Query(Xapian::Query::OP_PHRASE, terms.begin(),
                                                    terms.end(), window));
  }
  return {Xapian::Query::OP_OR, any.begin(), any.end()};
}

/// What a passage gains for containing `match` at all.
Xapian::Query TierQuery(const Xapian::Query& match) {
  auto* constant = new Xapian::FixedWeightPostingSource(kTierWeight);  // NOLINT: release() owns it
  return {Xapian::Query::OP_FILTER, Xapian::Query(constant->release()), match};
}

std::size_t CountTerms(const text::KeywordQuery& query) {
  std::size_t count = query.identifiers.size();
  for (const auto& word : query.words) count += word.terms.size();
  for (const auto& phrase : query.phrases) {
    for (const auto& word : phrase.words) count += word.terms.size();
  }
  return count;
}

Xapian::Query ToXapian(const text::KeywordQuery& query, bool with_tiers) {
  std::vector<Xapian::Query> parts;
  for (const auto& word : query.words) parts.push_back(WordQuery(word));
  for (const auto& identifier : query.identifiers) parts.emplace_back(identifier);
  if (with_tiers) {
    for (const auto& identifier : query.identifiers) {
      parts.push_back(TierQuery(Xapian::Query(identifier)));
    }
    for (const auto& phrase : query.phrases) {
      const Xapian::Query match = PhraseQuery(phrase);
      if (!match.empty()) parts.push_back(TierQuery(match));
    }
  }
  for (const auto& phrase : query.phrases) {
    for (const auto& word : phrase.words) parts.push_back(WordQuery(word));
  }
  return {Xapian::Query::OP_OR, parts.begin(), parts.end()};
}

}  // namespace

void MergePostings(std::span<const fs::path> sources, const fs::path& target,
                   std::span<const std::uint32_t> dead) {
  Translated(target.native(), [&] {
    // A source without documents has no id range to keep apart; Xapian takes it all the same.
    Xapian::Database joint;
    for (const auto& source : sources) joint.add_database(Xapian::Database(source.native()));
    CreatePrivateFolder(target);
    joint.compact(target.native(), Xapian::DBCOMPACT_NO_RENUMBER);
    if (!dead.empty()) {
      Xapian::WritableDatabase merged(target.native(),
                                      Xapian::DB_OPEN | Xapian::DB_NO_SYNC | Xapian::DB_DANGEROUS);
      for (const std::uint32_t id : dead) merged.delete_document(id);
      merged.commit();
      merged.close();
    }
  });
  std::error_code ignored;  // an empty file of Xapian's locking
  fs::remove(target / "flintlock", ignored);
}

// Parts of one size that are joined to one of the next, which bounds the files open at once.
constexpr std::size_t kPartsPerLevel = 32;

struct PostingWriter::Impl {
  struct Part {
    fs::path folder;
    int level = 0;
  };
  fs::path folder;
  std::size_t part_postings = 0;
  Xapian::WritableDatabase database;
  bool is_open = false;
  std::size_t postings = 0;  // in the open part
  std::uint32_t last_id = 0;
  std::size_t made = 0;
  std::vector<Part> parts;  // ids ascend, levels descend

  fs::path NextFolder() {
    fs::path next = folder;
    next += "." + std::to_string(++made);
    return next;
  }

  void OpenPart() {
    parts.push_back({NextFolder(), 0});
    const fs::path& part = parts.back().folder;
    CreatePrivateFolder(part);
    Translated(part.native(),
               [&] { database = Xapian::WritableDatabase(part.native(), kBuildFlags); });
    is_open = true;
    postings = 0;
  }

  void ClosePart() {
    Translated(folder.native(), [&] {
      database.commit();
      database.close();
    });
    is_open = false;
    std::error_code ignored;  // an empty file of Xapian's locking
    fs::remove(parts.back().folder / "flintlock", ignored);
  }

  /// Joins the parts from `first` on.
  void Join(std::size_t first, int level) {
    std::vector<fs::path> sources;
    for (std::size_t i = first; i < parts.size(); ++i) sources.push_back(parts[i].folder);
    const fs::path joined = NextFolder();
    MergePostings(sources, joined, {});
    for (const fs::path& source : sources) RemoveFolder(source);
    parts.resize(first);
    parts.push_back({joined, level});
  }

  void JoinFullLevels() {
    while (parts.size() >= kPartsPerLevel &&
           parts[parts.size() - kPartsPerLevel].level == parts.back().level) {
      Join(parts.size() - kPartsPerLevel, parts.back().level + 1);
    }
  }
};

PostingWriter::PostingWriter(const fs::path& folder, std::size_t part_postings)
    : impl_(std::make_unique<Impl>()) {
  impl_->folder = folder;
  impl_->part_postings = part_postings;
  impl_->OpenPart();
}

PostingWriter::~PostingWriter() = default;

void PostingWriter::Add(std::uint32_t id, std::span<const text::Posting> postings) {
  if (id <= impl_->last_id) throw Error(ErrorCode::kInternal, "posting ids do not ascend");
  if (impl_->postings >= impl_->part_postings) {
    impl_->ClosePart();
    impl_->JoinFullLevels();
    impl_->OpenPart();
  }
  Translated(impl_->folder.native(), [&] {
    Xapian::Document document;
    for (const text::Posting& posting : postings) {
      document.add_term(posting.term, posting.wdf);
      for (const std::uint32_t position : posting.positions) {
        document.add_posting(posting.term, position, 0);
      }
    }
    impl_->database.replace_document(id, document);
  });
  impl_->last_id = id;
  impl_->postings += postings.size();
}

void PostingWriter::Finish() {
  impl_->ClosePart();
  if (impl_->parts.size() > 1) impl_->Join(0, 0);
  std::error_code error;
  fs::rename(impl_->parts.front().folder, impl_->folder, error);
  if (error) throw SystemError(error.value(), "cannot rename to", impl_->folder.native());
}

std::vector<std::uint32_t> PostingIds(const fs::path& folder) {
  return Translated(folder.native(), [&] {
    const Xapian::Database database(folder.native());
    std::vector<std::uint32_t> ids;
    ids.reserve(database.get_doccount());
    for (auto it = database.postlist_begin(""); it != database.postlist_end(""); ++it) {
      ids.push_back(*it);
    }
    return ids;
  });
}

struct PostingReader::Impl {
  Xapian::Database database;
  std::size_t shards = 0;
};

PostingReader::PostingReader(std::span<const fs::path> folders) : impl_(std::make_unique<Impl>()) {
  for (const auto& folder : folders) {
    Translated(folder.native(),
               [&] { impl_->database.add_database(Xapian::Database(folder.native())); });
    ++impl_->shards;
  }
}

PostingReader::~PostingReader() = default;

std::vector<PostingHit> PostingReader::Search(
    const text::KeywordQuery& query, const Bm25& bm25, std::size_t limit, bool with_tiers,
    const std::function<bool(std::uint32_t)>& accept) const {
  if (impl_->shards == 0 || limit == 0 || query.empty()) return {};
  if (CountTerms(query) > kMaxQueryTerms ||
      query.identifiers.size() + query.phrases.size() > kMaxTierTerms) {
    throw Error(ErrorCode::kTooLarge, "the question has too many words");
  }
  return Translated("keyword search", [&] {
    std::vector<PostingHit> hits;
    const Xapian::doccount documents = impl_->database.get_doccount();
    if (documents == 0) return hits;
    Xapian::Enquire enquire(impl_->database);
    enquire.set_weighting_scheme(Xapian::BM25Weight(bm25.k1, 0, bm25.k3, bm25.b, 0.5));
    enquire.set_query(ToXapian(query, with_tiers));
    const Accepting decider(accept);
    const auto wanted = static_cast<Xapian::doccount>(std::min<std::size_t>(limit, documents));
    const Xapian::MSet found = enquire.get_mset(0, wanted, 0, nullptr, &decider);
    hits.reserve(found.size());
    for (auto it = found.begin(); it != found.end(); ++it) {
      PostingHit hit;
      hit.id = OwnId(*it, impl_->shards);
      hit.tier = with_tiers ? static_cast<std::uint32_t>(it.get_weight() / kTierWeight) : 0;
      hit.score = it.get_weight() - hit.tier * kTierWeight;
      hits.push_back(hit);
    }
    return hits;
  });
}

TermStatistics PostingReader::Statistics(std::string_view term) const {
  if (impl_->shards == 0) return {};
  return Translated("keyword statistics", [&] {
    return TermStatistics{impl_->database.get_doccount(),
                          impl_->database.get_termfreq(std::string(term))};
  });
}

}  // namespace sworn::store
