// The fixed JSON shapes of docs/cli.md, shared by the command line, the server and the log.
#pragma once

#include <nlohmann/json.hpp>

#include "api/service/model_registry.h"
#include "api/service/requests.h"

namespace sworn::service {

nlohmann::json ToJson(const SearchResponse& response);
nlohmann::json ToJson(const AskResponse& response);
nlohmann::json ToJson(const AnswerSentence& sentence);
nlohmann::json ToJson(const Citation& citation);
nlohmann::json ToJson(const TranslateResponse& response);
nlohmann::json ToJson(const IndexReport& report);
nlohmann::json ToJson(const IndexProgress& progress);
nlohmann::json ToJson(const store::DocumentInfo& document);
nlohmann::json ToJson(const store::CollectionInfo& collection);
nlohmann::json ToJson(const RemoveReport& report);
nlohmann::json ToJson(const StatusReport& report);
nlohmann::json ToJson(const DoctorFinding& finding);
nlohmann::json ToJson(const ModelEntry& model);
nlohmann::json ToJson(const EmbedResponse& response);
/// Of a single collection its report, of several an object with "collections" and "mean".
nlohmann::json ToJson(const BeirEvaluation& evaluation);
nlohmann::json ToJson(const AnswerEvaluation& evaluation);

}  // namespace sworn::service
