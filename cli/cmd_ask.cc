#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "core/error.h"

namespace sworn::cli {
namespace {

constexpr const char* kExtractive = "extractive";

}  // namespace

int RunAsk(service::KnowledgeBase& kb, const AskCommand& command, Session& session) {
  service::AskRequest request = command.request;
  if (request.model != kExtractive) {
    throw Error(ErrorCode::kNotConfigured,
                "there is no model '" + request.model + "'; known: " + kExtractive);
  }
  request.text = ReadText(request.text, session.in);
  const service::AskResponse response = kb.Ask(request);
  if (session.console.json) {
    PrintJson(session.console.out, service::ToJson(response));
  } else {
    PrintAnswer(session.console, response, command.timing);
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
