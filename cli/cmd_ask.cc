#include <filesystem>
#include <string>
#include <system_error>

#include "api/service/answer.h"
#include "api/service/json.h"
#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/signals.h"
#include "core/text/unicode.h"

namespace sworn::cli {
namespace {

using nlohmann::json;

// Sentences on their way to the reader: text for people, one event a line for programs.
class SentencePrinter {
 public:
  SentencePrinter(Console& console, bool wanted) : console_(console), wanted_(wanted) {}

  [[nodiscard]] service::SentenceSink Sink() {
    if (!wanted_) return {};
    return [this](const service::AnswerSentence& sentence,
                  std::span<const service::Citation> added) { Print(sentence, added); };
  }

  /// What is left to say when the answer is complete.
  void Finish(const service::AskResponse& response, bool timing) {
    if (!wanted_) {
      if (console_.json) {
        PrintJson(console_.out, service::ToJson(response));
      } else {
        PrintAnswer(console_, response, timing);
      }
    } else if (console_.json) {
      json done = service::ToJson(response);
      done["event"] = "done";
      PrintJson(console_.out, done);
    } else {
      PrintAnswerEnd(console_, response, timing);
    }
  }

 private:
  void Print(const service::AnswerSentence& sentence, std::span<const service::Citation> added) {
    if (console_.json) {
      json event = service::ToJson(sentence);
      event["event"] = "token";
      PrintJson(console_.out, event);
      for (const service::Citation& citation : added) {
        json one = service::ToJson(citation);
        one["event"] = "citation";
        PrintJson(console_.out, one);
      }
    } else {
      console_.out << Wrap(text::ForTerminal(service::MarkedText(sentence)), console_.width, "")
                   << '\n';
    }
    console_.out.flush();
  }

  Console& console_;
  bool wanted_;
};

// Runs `write`, which gives sentences to a sink and returns the answer, and prints what comes.
template <typename Write>
int PrintSentences(const WritingOutput& output, Session& session, const Write& write) {
  const CancelOnSignal stop(session.cancel);
  SentencePrinter printer(session.console, output.stream);
  printer.Finish(write(printer.Sink()), output.timing);
  return kExitSuccess;
}

// A file that is here is stored under its whole path, links resolved; anything else is left alone.
std::string StoredPath(const std::string& what) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(what, error)) return what;
  const std::filesystem::path path = std::filesystem::canonical(what, error);
  return error ? what : path.native();
}

}  // namespace

int RunAsk(service::KnowledgeBase& kb, const AskCommand& command, Session& session) {
  return PrintSentences(command.output, session, [&](const service::SentenceSink& sink) {
    service::AskRequest request = command.request;
    request.text = ReadText(request.text, session.in);
    return kb.Ask(request, sink, session.cancel);
  });
}

int RunSummarize(service::KnowledgeBase& kb, const SummarizeCommand& command, Session& session) {
  return PrintSentences(command.output, session, [&](const service::SentenceSink& sink) {
    service::SummarizeRequest request = command.request;
    request.what = ReadText(StoredPath(request.what), session.in);
    return kb.Summarize(request, sink, session.cancel);
  });
}

int RunTranslate(service::KnowledgeBase& kb, const TranslateCommand& command, Session& session) {
  const CancelOnSignal stop(session.cancel);
  Console& console = session.console;
  service::TranslateRequest request = command.request;
  request.text = ReadText(request.text, session.in);
  TextSink sink;
  if (command.output.stream) {
    sink = [&console](std::string_view piece) {
      if (console.json) {
        PrintJson(console.out, {{"event", "token"}, {"text", piece}});
      } else {
        console.out << text::ForTerminal(piece);
      }
      console.out.flush();
    };
  }
  const service::TranslateResponse response = kb.Translate(request, sink, session.cancel);
  if (console.json) {
    json out = service::ToJson(response);
    if (command.output.stream) out["event"] = "done";
    PrintJson(console.out, out);
  } else {
    if (!command.output.stream) console.out << text::ForTerminal(response.text);
    PrintTranslationEnd(console, response, command.output.timing);
  }
  return kExitSuccess;
}

}  // namespace sworn::cli
