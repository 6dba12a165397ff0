#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"

namespace sworn::cli {

int RunEmbed(service::KnowledgeBase& kb, const EmbedCommand& command, Session& session) {
  service::EmbedRequest request = command.request;
  request.text = ReadText(request.text, session.in);
  const service::EmbedResponse response = kb.Embed(request);
  Console& console = session.console;
  if (console.json) {
    PrintJson(console.out, service::ToJson(response));
    return kExitSuccess;
  }
  const auto precision = console.out.precision(9);  // a float comes back from nine digits
  for (std::size_t i = 0; i < response.vector.size(); ++i) {
    console.out << (i == 0 ? "" : " ") << response.vector[i];
  }
  console.out.precision(precision);
  console.out << '\n';
  return kExitSuccess;
}

}  // namespace sworn::cli
