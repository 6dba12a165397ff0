#include "audit/audit_reader.h"

#include <algorithm>
#include <utility>

#include "audit/audit_payload.h"
#include "audit/audit_store.h"
#include "audit/tlog_proof.h"
#include "core/clock.h"
#include "core/crypto.h"
#include "core/error.h"

namespace sworn::audit {
namespace {

std::span<const std::uint8_t> AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

nlohmann::json CollectionsToJson(const FieldMap& fields) {
  nlohmann::json list = nlohmann::json::array();
  for (const CollectionState& collection : fields.Collections()) {
    list.push_back(
        {{"collection_id", collection.collection_id}, {"generation", collection.generation}});
  }
  return list;
}

nlohmann::json PassagesToJson(const FieldMap& fields) {
  nlohmann::json list = nlohmann::json::array();
  for (const PassageFields& passage : fields.Passages()) {
    list.push_back({{"document_id", passage.document_id},
                    {"version", passage.version},
                    {"version_commitment", ToHex(AsBytes(passage.version_commitment))},
                    {"chunk_id", std::to_string(passage.chunk_id)},
                    {"byte_begin", passage.byte_begin},
                    {"byte_end", passage.byte_end},
                    {"rank", passage.rank},
                    {"score", passage.score},
                    {"keyword_score", passage.keyword_score},
                    {"vector_score", passage.vector_score}});
  }
  return list;
}

nlohmann::json NumberToJson(Tag tag, std::uint64_t value) {
  if (tag == Tag::kOperation) return OperationName(static_cast<Operation>(value));
  if (tag == Tag::kStatus) return OutcomeStatusName(static_cast<OutcomeStatus>(value));
  if (tag == Tag::kOk) return value != 0;
  return value;
}

nlohmann::json FieldToJson(const FieldMap& fields, const FieldInfo& info, const std::string& raw) {
  switch (info.kind) {
    case FieldKind::kNumber:
      return NumberToJson(info.tag, fields.Number(info.tag).value_or(0));
    case FieldKind::kTime:
      return FormatRfc3339(static_cast<std::int64_t>(fields.Number(info.tag).value_or(0)));
    case FieldKind::kText:
      return raw;
    case FieldKind::kCollections:
      return CollectionsToJson(fields);
    case FieldKind::kPassages:
      return PassagesToJson(fields);
    case FieldKind::kDigest:
    case FieldKind::kBootId:
      break;
  }
  return ToHex(AsBytes(raw));
}

}  // namespace

nlohmann::json EntryToJson(std::uint64_t index, const AuditEntry& entry) {
  const auto type = EntryTypeName(entry.type);
  nlohmann::json json = {
      {"index", index},
      {"type",
       type ? std::string(*type) : "type_" + std::to_string(static_cast<unsigned>(entry.type))}};
  for (const auto& [tag, raw] : entry.fields.all()) {
    const FieldInfo* info = FindFieldInfo(tag);
    if (info == nullptr) {
      json["tag_" + std::to_string(tag)] = ToHex(AsBytes(raw));
    } else {
      json[info->tag == Tag::kUtcMs ? "time" : std::string(info->name)] =
          FieldToJson(entry.fields, *info, raw);
    }
  }
  return json;
}

class AuditReader::Impl {
 public:
  explicit Impl(const LogPaths& paths)
      : store_(paths.log, SqliteConnection::Mode::kReadOnly),
        payloads_(paths.payload, SqliteConnection::Mode::kReadOnly) {}

  AuditStore& store() { return store_; }

  std::vector<nlohmann::json> List(const Filter& filter) {
    std::string sql = "SELECT idx, bytes FROM entry";
    if (filter.type) sql += " WHERE type = ?";
    SqliteStatement query = store_.connection().Prepare(sql + " ORDER BY idx DESC");
    if (filter.type) query.Bind(1, static_cast<std::int64_t>(*filter.type));
    std::vector<nlohmann::json> found;
    while ((filter.limit == 0 || found.size() < filter.limit) && query.Step()) {
      const AuditEntry entry = DecodeEntry(query.Bytes(1));
      const auto utc_ms = static_cast<std::int64_t>(entry.fields.Number(Tag::kUtcMs).value_or(0));
      // A clock that was set back may hide older entries behind one: all are looked at.
      if (filter.since_ms && utc_ms < *filter.since_ms) continue;
      found.push_back(EntryToJson(static_cast<std::uint64_t>(query.Int(0)), entry));
    }
    return found;
  }

  nlohmann::json Show(std::uint64_t index) {
    const EntryRow row = store_.Entry(index);
    const AuditEntry entry = DecodeEntry(row.bytes);
    nlohmann::json json = EntryToJson(index, entry);
    json["leaf_sha256"] = ToHex(HashLeaf(row.bytes));
    const auto commitment = entry.fields.Bytes(Tag::kPayload);
    const auto payload = commitment ? payloads_.Find(*commitment) : std::nullopt;
    if (payload) {
      json["payload"] = nlohmann::json::parse(payload->json, nullptr, false);
      if (payload->key.empty()) {
        json["payload_checked"] = nullptr;
      } else {
        json["payload_checked"] = !FindPayloadFault(entry, *payload).has_value();
      }
    }
    return json;
  }

  Receipt ReceiptOf(std::uint64_t index) {
    const SqliteTransaction one_state(store_.connection(), SqliteTransaction::Kind::kDeferred);
    const EntryRow row = store_.Entry(index);
    const auto newest = store_.NewestCheckpoint();
    if (!newest || newest->size <= index) {
      throw Error(ErrorCode::kNotFound,
                  "no checkpoint covers entry " + std::to_string(index) + " yet");
    }
    const TlogProof proof{row.bytes, index, InclusionProof(index, newest->size, store_.Nodes()),
                          newest->note};
    return {index, newest->size, FormatTlogProof(proof)};
  }

  void Export(const std::function<void(const nlohmann::json&)>& line) {
    const SqliteTransaction one_state(store_.connection(), SqliteTransaction::Kind::kDeferred);
    const auto newest = store_.NewestCheckpoint();
    if (!newest) throw Error(ErrorCode::kNotFound, "the audit log has no checkpoint");
    for (std::uint64_t index = 0; index < newest->size; ++index) {
      const EntryRow row = store_.Entry(index);
      nlohmann::json json = EntryToJson(index, DecodeEntry(row.bytes));
      json["entry"] = ToBase64(AsBytes(row.bytes));
      json["proof"] = nlohmann::json::array();
      for (const Sha256Digest& hash : InclusionProof(index, newest->size, store_.Nodes())) {
        json["proof"].push_back(ToBase64(hash));
      }
      line(json);
    }
    line({{"checkpoint", newest->note}});
  }

 private:
  AuditStore store_;
  PayloadStore payloads_;
};

AuditReader::AuditReader(const std::filesystem::path& folder) {
  const LogPaths paths(folder);
  if (!std::filesystem::exists(paths.log)) {
    throw Error(ErrorCode::kNotFound, "'" + paths.log.native() + "' does not exist");
  }
  impl_ = std::make_unique<Impl>(paths);
}
AuditReader::~AuditReader() = default;

std::uint64_t AuditReader::Size() { return impl_->store().Size(); }
std::vector<nlohmann::json> AuditReader::List(const Filter& filter) { return impl_->List(filter); }
nlohmann::json AuditReader::Show(std::uint64_t index) { return impl_->Show(index); }
Receipt AuditReader::ReceiptOf(std::uint64_t index) { return impl_->ReceiptOf(index); }
void AuditReader::Export(const std::function<void(const nlohmann::json&)>& line) {
  impl_->Export(line);
}

}  // namespace sworn::audit
