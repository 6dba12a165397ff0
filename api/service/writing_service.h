// What a model does beside answering: summaries, whose sentences are checked and cited like those
// of an answer, and translations, which nothing can check.
#pragma once

#include "api/service/components.h"
#include "api/service/requests.h"
#include "audit/audit_log.h"
#include "core/cancel.h"

namespace sworn::service {

/// Prompts of one summary; what is longer is summarised in part, which the reason says.
inline constexpr std::size_t kMaxSummaryPrompts = 16;

/// A single word that is no document is kNotFound: it is a mistyped name, not a text.
AskResponse RunSummarize(Components& parts, audit::AuditLog& log, const SummarizeRequest& request,
                         const SentenceSink& sink, const CancelFlag& cancel);

TranslateResponse RunTranslate(Components& parts, audit::AuditLog& log,
                               const TranslateRequest& request, const TextSink& on_text,
                               const CancelFlag& cancel);

}  // namespace sworn::service
