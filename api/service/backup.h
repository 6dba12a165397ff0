// One archive (pax tar) with everything a knowledge base cannot make again.
#pragma once

#include <filesystem>

#include "api/service/components.h"
#include "audit/audit_log.h"

namespace sworn::service {

/// The body of KnowledgeBase::Backup.
void WriteBackup(Components& parts, audit::AuditLog& log, const std::filesystem::path& file,
                 bool with_keys);

}  // namespace sworn::service
