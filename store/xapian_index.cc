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

/// BM25 of one term but its rarity, which is counted over all segments and enters the query as a
/// factor (Rarity).
///
/// Why not one Xapian::Database over all segments, with Xapian's own BM25Weight: in 1.4.22 the
/// matcher asks segments that are through for their weight again, and an OP_MAX whose terms ended
/// together reads freed memory then (MaxPostList::recalc_maxweight). A segment alone never asks.
class SegmentBm25 : public Xapian::Weight {
 public:
  SegmentBm25(const Bm25& bm25, double average_length)
      : bm25_(bm25), average_length_(average_length) {
    need_stat(WDF);
    need_stat(WDF_MAX);
    need_stat(WQF);
    need_stat(DOC_LENGTH);
    need_stat(DOC_LENGTH_MIN);
  }

  void init(double factor) override {
    const double wqf = get_wqf();
    weight_ = factor * (bm25_.k1 + 1) * (bm25_.k3 + 1) * wqf / (bm25_.k3 + wqf);
  }
  double get_sumpart(Xapian::termcount wdf, Xapian::termcount length,
                     Xapian::termcount /*unique_terms*/) const override {
    return weight_ * wdf / (bm25_.k1 * Norm(length) + wdf);
  }
  double get_maxpart() const override {
    const Xapian::termcount wdf = std::max<Xapian::termcount>(1, get_wdf_upper_bound());
    return get_sumpart(wdf, std::max(wdf, get_doclength_lower_bound()), 0);
  }
  double get_sumextra(Xapian::termcount /*length*/,
                      Xapian::termcount /*unique_terms*/) const override {
    return 0;
  }
  double get_maxextra() const override { return 0; }

 private:
  SegmentBm25* clone() const override { return new SegmentBm25(bm25_, average_length_); }

  [[nodiscard]] double Norm(Xapian::termcount length) const {
    constexpr double kMinLength =
        0.5;  // a passage shorter than that share of the mean gains no more
    const double share = average_length_ > 0 ? length / average_length_ : 1;
    return bm25_.b * std::max(share, kMinLength) + (1 - bm25_.b);
  }

  Bm25 bm25_;
  double average_length_;  // in words, over all segments
  double weight_ = 0;
};

/// The logarithm of the odds against a term (Robertson and Zaragoza, 2009, eq. 3.2), bent as Xapian
/// does it so that it stays above 0 for terms that most passages have.
double Rarity(double passages, double with_term) {
  const double odds = (passages - with_term + 0.5) / (with_term + 0.5);
  return std::log(odds < 2 ? odds * 0.5 + 1 : odds);
}

/// Gives a term of the query its rarity.
using RarityOf = std::function<double(const std::string&)>;

class Accepting : public Xapian::MatchDecider {
 public:
  explicit Accepting(const std::function<bool(std::uint32_t)>& accept) : accept_(accept) {}
  bool operator()(const Xapian::Document& document) const override {
    return accept_(document.get_docid());
  }

 private:
  const std::function<bool(std::uint32_t)>& accept_;
};

Xapian::Query TermQuery(const std::string& term, Xapian::termcount wqf, const RarityOf& rarity) {
  return {Xapian::Query::OP_SCALE_WEIGHT, Xapian::Query(term, wqf), rarity(term)};
}

Xapian::Query WordQuery(const text::TermAlternatives& word, const RarityOf& rarity) {
  const double rounded = std::floor(word.weight);
  const bool whole = rounded == word.weight && rounded >= 1 && rounded <= 1000;
  const Xapian::termcount wqf = whole ? static_cast<Xapian::termcount>(rounded) : 1;
  std::vector<Xapian::Query> terms;
  terms.reserve(word.terms.size());
  for (const std::string& term : word.terms) terms.push_back(TermQuery(term, wqf, rarity));
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

Xapian::Query ToXapian(const text::KeywordQuery& query, bool with_tiers, const RarityOf& rarity) {
  std::vector<Xapian::Query> parts;
  for (const auto& word : query.words) parts.push_back(WordQuery(word, rarity));
  for (const auto& identifier : query.identifiers) {
    parts.push_back(TermQuery(identifier, 1, rarity));
  }
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
    for (const auto& word : phrase.words) parts.push_back(WordQuery(word, rarity));
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

void JoinPostings(std::vector<fs::path> parts, const fs::path& target) {
  std::size_t made = 0;
  while (parts.size() > 1) {
    std::vector<fs::path> joined;
    for (std::size_t begin = 0; begin < parts.size(); begin += kMaxJoined) {
      const std::size_t end = std::min(begin + kMaxJoined, parts.size());
      const std::span<const fs::path> group = std::span(parts).subspan(begin, end - begin);
      fs::path whole = target;
      whole += ".joined" + std::to_string(made++);
      MergePostings(group, whole, {});
      for (const fs::path& part : group) RemoveFolder(part);
      joined.push_back(std::move(whole));
    }
    parts = std::move(joined);
  }
  std::error_code error;
  fs::rename(parts.at(0), target, error);
  if (error) throw SystemError(error.value(), "cannot rename to", target.native());
}

struct PostingWriter::Impl {
  fs::path folder;
  Xapian::WritableDatabase database;
  std::uint32_t last_id = 0;
};

PostingWriter::PostingWriter(const fs::path& folder) : impl_(std::make_unique<Impl>()) {
  impl_->folder = folder;
  CreatePrivateFolder(folder);
  Translated(folder.native(),
             [&] { impl_->database = Xapian::WritableDatabase(folder.native(), kBuildFlags); });
}

PostingWriter::~PostingWriter() = default;

void PostingWriter::Add(std::uint32_t id, std::span<const text::Posting> postings) {
  if (id <= impl_->last_id) throw Error(ErrorCode::kInternal, "posting ids do not ascend");
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
}

void PostingWriter::Finish() {
  Translated(impl_->folder.native(), [&] {
    impl_->database.commit();
    impl_->database.close();
  });
  std::error_code ignored;  // an empty file of Xapian's locking
  fs::remove(impl_->folder / "flintlock", ignored);
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
  std::vector<Xapian::Database> segments;
  double passages = 0;        // over all segments
  double average_length = 0;  // words of a passage, over all segments

  [[nodiscard]] Xapian::doccount PassagesWith(const std::string& term) const {
    Xapian::doccount count = 0;
    for (const Xapian::Database& segment : segments) count += segment.get_termfreq(term);
    return count;
  }

  void SearchSegment(const Xapian::Database& segment, const Xapian::Query& query, const Bm25& bm25,
                     std::size_t limit, const Xapian::MatchDecider& decider,
                     std::vector<PostingHit>& hits) const {
    const Xapian::doccount passages_here = segment.get_doccount();
    if (passages_here == 0) return;
    Xapian::Enquire enquire(segment);
    enquire.set_weighting_scheme(SegmentBm25(bm25, average_length));
    enquire.set_query(query);
    const auto wanted = static_cast<Xapian::doccount>(std::min<std::size_t>(limit, passages_here));
    const Xapian::MSet found = enquire.get_mset(0, wanted, 0, nullptr, &decider);
    for (auto it = found.begin(); it != found.end(); ++it) {
      hits.push_back({.id = *it, .tier = 0, .score = it.get_weight()});
    }
  }
};

PostingReader::PostingReader(std::span<const fs::path> folders) : impl_(std::make_unique<Impl>()) {
  double words = 0;
  for (const auto& folder : folders) {
    Translated(folder.native(), [&] {
      const auto& segment = impl_->segments.emplace_back(folder.native());
      impl_->passages += segment.get_doccount();
      words += static_cast<double>(segment.get_total_length());
    });
  }
  if (impl_->passages > 0) impl_->average_length = words / impl_->passages;
}

PostingReader::~PostingReader() = default;

std::vector<PostingHit> PostingReader::Search(
    const text::KeywordQuery& query, const Bm25& bm25, std::size_t limit, bool with_tiers,
    const std::function<bool(std::uint32_t)>& accept) const {
  if (limit == 0 || query.empty()) return {};
  if (CountTerms(query) > kMaxQueryTerms ||
      query.identifiers.size() + query.phrases.size() > kMaxTierTerms) {
    throw Error(ErrorCode::kTooLarge, "the question has too many words");
  }
  return Translated("keyword search", [&] {
    const Xapian::Query joint = ToXapian(query, with_tiers, [this](const std::string& term) {
      return Rarity(impl_->passages, impl_->PassagesWith(term));
    });
    const Accepting decider(accept);
    std::vector<PostingHit> hits;
    for (const Xapian::Database& segment : impl_->segments) {
      impl_->SearchSegment(segment, joint, bm25, limit, decider, hits);
    }
    std::sort(hits.begin(), hits.end(), [](const PostingHit& a, const PostingHit& b) {
      return a.score != b.score ? a.score > b.score : a.id < b.id;
    });
    if (hits.size() > limit) hits.resize(limit);
    for (PostingHit& hit : hits) {
      hit.tier = with_tiers ? static_cast<std::uint32_t>(hit.score / kTierWeight) : 0;
      hit.score -= hit.tier * kTierWeight;
    }
    return hits;
  });
}

TermStatistics PostingReader::Statistics(std::string_view term) const {
  return Translated("keyword statistics", [&] {
    return TermStatistics{static_cast<std::uint64_t>(impl_->passages),
                          impl_->PassagesWith(std::string(term))};
  });
}

}  // namespace sworn::store
