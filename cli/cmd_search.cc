#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"

namespace sworn::cli {

int RunSearch(service::KnowledgeBase& kb, const SearchCommand& command, Session& session) {
  service::SearchRequest request = command.request;
  request.text = ReadText(request.text, session.in);
  const service::SearchResponse response = kb.Search(request);
  if (session.console.json) {
    PrintJson(session.console.out, service::ToJson(response));
  } else {
    PrintSearch(session.console, response, command.explain);
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
