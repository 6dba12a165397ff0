// The read path of the facade: search and ask, each between its INTENT and its OUTCOME.
#pragma once

#include "api/service/components.h"
#include "api/service/requests.h"
#include "audit/audit_log.h"

namespace sworn::service {

SearchResponse RunSearch(Components& parts, audit::AuditLog& log, const SearchRequest& request);

AskResponse RunAsk(Components& parts, audit::AuditLog& log, const AskRequest& request);

}  // namespace sworn::service
