#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"

namespace sworn::cli {

int RunAsk(service::KnowledgeBase& kb, const AskCommand& command, Session& session) {
  service::AskRequest request = command.request;
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
