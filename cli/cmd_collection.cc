#include "cli/commands.h"
#include "cli/exit_code.h"

namespace sworn::cli {

int RunCollectionCreate(service::KnowledgeBase& kb, const CollectionCreateCommand& command,
                        Session& session) {
  kb.CreateCollection(command.name);
  if (session.console.json) {
    PrintJson(session.console.out, {{"collection", command.name}, {"created", true}});
  } else {
    session.console.out << "Created collection " << OneLine(command.name) << '\n';
  }
  return kExitSuccess;
}

int RunCollectionRemove(service::KnowledgeBase& kb, const CollectionRemoveCommand& command,
                        Session& session) {
  kb.RemoveCollection(command.name);
  if (session.console.json) {
    PrintJson(session.console.out, {{"collection", command.name}, {"removed", true}});
  } else {
    session.console.out << "Removed collection " << OneLine(command.name) << '\n';
    PrintNote(session.console, "Its documents are found no more; their text stays in the catalog.");
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
