#include "audit/audit_payload.h"

#include "core/canonical_json.h"
#include "core/error.h"

namespace sworn::audit {
namespace {

constexpr const char* kSchema = R"sql(
CREATE TABLE IF NOT EXISTS payload(
  commitment BLOB PRIMARY KEY,
  json BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS payload_key(
  commitment BLOB PRIMARY KEY,
  key BLOB NOT NULL) WITHOUT ROWID;
)sql";

std::string_view View(const Sha256Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string Text(const Sha256Digest& digest) { return {digest.begin(), digest.end()}; }

}  // namespace

Payload MakePayload(const std::string& key, const nlohmann::json& value) {
  Payload payload{key, CanonicalJson(value), ""};
  if (payload.json.size() > kMaxPayloadBytes) {
    throw Error(ErrorCode::kTooLarge, "the record of this request is larger than " +
                                          std::to_string(kMaxPayloadBytes) + " bytes");
  }
  payload.commitment = Text(HmacSha256(key, payload.json));
  return payload;
}

std::string CommitTo(std::string_view key, std::string_view what, std::string_view bytes) {
  // A payload is a JSON object, so no payload can start like this.
  std::string message = "sworn ";
  message += what;
  message += '\0';
  message += bytes;
  return Text(HmacSha256(key, message));
}

namespace {

bool PrincipalIsAsLogged(const FieldMap& fields, const Payload& payload,
                         const nlohmann::json& value) {
  const auto principal = value.find("principal");
  return principal != value.end() && principal->is_string() &&
         fields.Bytes(Tag::kPrincipal) ==
             CommitTo(payload.key, "principal", principal->get_ref<const std::string&>());
}

bool AnswerIsAsLogged(const FieldMap& fields, const Payload& payload, const nlohmann::json& value) {
  const auto answer = value.find("answer");
  if (answer == value.end()) return !fields.Bytes(Tag::kAnswer).has_value();
  return fields.Bytes(Tag::kAnswer) == CommitTo(payload.key, "answer", View(AnswerDigest(*answer)));
}

bool PromptIsAsLogged(const FieldMap& fields, const Payload& payload, const nlohmann::json& value) {
  const auto prompt = value.find("prompt_sha256");
  if (prompt == value.end()) return !fields.Bytes(Tag::kPrompt).has_value();
  if (!prompt->is_string()) return false;
  const Sha256Digest digest = DigestFromHex(prompt->get_ref<const std::string&>());
  return fields.Bytes(Tag::kPrompt) == CommitTo(payload.key, "prompt", View(digest));
}

bool PassagesAreAsLogged(const FieldMap& fields, const Payload& payload,
                         const nlohmann::json& value) {
  const std::vector<PassageFields> passages = fields.Passages();
  const auto versions = value.find("document_sha256");
  if (versions == value.end()) return passages.empty();
  if (!versions->is_array() || versions->size() != passages.size()) return false;
  for (std::size_t i = 0; i < passages.size(); ++i) {
    if (!versions->at(i).is_string()) return false;
    const Sha256Digest digest = DigestFromHex(versions->at(i).get_ref<const std::string&>());
    if (CommitTo(payload.key, "version", View(digest)) != passages[i].version_commitment) {
      return false;
    }
  }
  return true;
}

}  // namespace

bool PayloadIsAsLogged(const AuditEntry& entry, const Payload& payload) {
  return entry.fields.Bytes(Tag::kPayload) == Text(HmacSha256(payload.key, payload.json));
}

std::optional<std::string> FindPayloadFault(const AuditEntry& entry, const Payload& payload) {
  if (!PayloadIsAsLogged(entry, payload)) {
    return "the payload is not the one that was logged";
  }
  const nlohmann::json value = nlohmann::json::parse(payload.json, nullptr, false);
  if (!value.is_object()) return "the payload is no JSON object";
  if (!PrincipalIsAsLogged(entry.fields, payload, value)) {
    return "the principal is not the one that was logged";
  }
  if (!AnswerIsAsLogged(entry.fields, payload, value)) {
    return "the answer is not the one that was logged";
  }
  if (!PromptIsAsLogged(entry.fields, payload, value)) {
    return "the prompt is not the one that was logged";
  }
  if (!PassagesAreAsLogged(entry.fields, payload, value)) {
    return "the passages are not those that were logged";
  }
  return std::nullopt;
}

PayloadStore::PayloadStore(const std::filesystem::path& file, SqliteConnection::Mode mode)
    : connection_(file, mode) {
  if (mode == SqliteConnection::Mode::kReadWrite) {
    connection_.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    connection_.Execute(kSchema);
    connection_.RestrictToAppend();
  }
}

void PayloadStore::Put(const Payload& payload) {
  if (!put_) {
    put_.emplace(connection_.Prepare("INSERT INTO payload(commitment, json) VALUES(?, ?)"));
    put_key_.emplace(connection_.Prepare("INSERT INTO payload_key(commitment, key) VALUES(?, ?)"));
  }
  SqliteTransaction transaction(connection_);
  put_->BindBlob(1, payload.commitment).BindBlob(2, payload.json).Run();
  put_key_->BindBlob(1, payload.commitment).BindBlob(2, payload.key).Run();
  transaction.Commit();
}

std::optional<Payload> PayloadStore::Find(std::string_view commitment) {
  if (!find_) {
    find_.emplace(
        connection_.Prepare("SELECT payload.json, payload_key.key FROM payload LEFT JOIN "
                            "payload_key USING(commitment) WHERE commitment = ?"));
  }
  find_->BindBlob(1, commitment);
  std::optional<Payload> payload;
  if (find_->Step()) payload = Payload{find_->Text(1), find_->Text(0), std::string(commitment)};
  find_->Reset();
  return payload;
}

void CopyPayloads(const std::filesystem::path& from, const std::filesystem::path& to,
                  bool with_keys) {
  SqliteConnection source(from, SqliteConnection::Mode::kReadOnly);
  const PayloadStore create_tables(to, SqliteConnection::Mode::kReadWrite);
  SqliteConnection target(to, SqliteConnection::Mode::kReadWrite);
  const SqliteTransaction one_state(source, SqliteTransaction::Kind::kDeferred);
  SqliteTransaction transaction(target);
  const auto copy = [&](const char* select, const char* insert) {
    SqliteStatement rows = source.Prepare(select);
    SqliteStatement add = target.Prepare(insert);
    while (rows.Step()) add.BindBlob(1, rows.Bytes(0)).BindBlob(2, rows.Bytes(1)).Run();
  };
  copy("SELECT commitment, json FROM payload",
       "INSERT INTO payload(commitment, json) VALUES(?, ?)");
  if (with_keys) {
    copy("SELECT commitment, key FROM payload_key",
         "INSERT INTO payload_key(commitment, key) VALUES(?, ?)");
  }
  transaction.Commit();
}

}  // namespace sworn::audit
