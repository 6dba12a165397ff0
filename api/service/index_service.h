// The write path of the facade: index, watch, remove.
#pragma once

#include <functional>
#include <string>

#include "api/service/components.h"
#include "api/service/requests.h"
#include "audit/audit_log.h"
#include "core/cancel.h"
#include "indexer/source.h"

namespace sworn::service {

IndexReport RunIndexRequest(Components& parts, audit::AuditLog& log, const IndexRequest& request,
                            const ProgressSink& progress, const CancelFlag& cancel);

/// Makes a collection hold what `source` offers; used for folders and for evaluation sets.
IndexReport IndexSource(Components& parts, indexer::Source& source, const IndexRequest& request,
                        const ProgressSink& progress, const CancelFlag& cancel);

void RunWatch(Components& parts, audit::AuditLog& log, const IndexRequest& request,
              const ProgressSink& progress, const std::function<void(const IndexReport&)>& report,
              const CancelFlag& cancel);

RemoveReport RunRemove(Components& parts, audit::AuditLog& log, const std::string& id_or_path);

}  // namespace sworn::service
