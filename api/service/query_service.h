// The read path of the facade: search and ask, each between its INTENT and its OUTCOME.
#pragma once

#include "api/service/components.h"
#include "api/service/requests.h"
#include "audit/audit_log.h"
#include "core/cancel.h"

namespace sworn::service {

SearchResponse RunSearch(Components& parts, audit::AuditLog& log, const SearchRequest& request);

/// `sink` may be empty. Cancelling throws kCancelled after the log has what was written until then;
/// an answer without a model is not cancelled.
AskResponse RunAsk(Components& parts, audit::AuditLog& log, const AskRequest& request,
                   const SentenceSink& sink, const CancelFlag& cancel);

}  // namespace sworn::service
