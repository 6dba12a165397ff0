// From requests and responses to the records of the audit log.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "api/service/config.h"
#include "api/service/requests.h"
#include "api/service/writing_plan.h"
#include "audit/audit_log.h"
#include "audit/audit_records.h"
#include "core/error.h"
#include "store/records.h"

namespace sworn::service {

/// The OS user this process acts as, the build and a digest of the settings that shape answers.
audit::Actor MakeActor(const Config& config);

audit::IntentRecord IntentOf(const SearchRequest& request);
audit::IntentRecord IntentOf(const AskRequest& request, const WritingPlan& plan);
audit::IntentRecord IntentOf(const SummarizeRequest& request, const WritingPlan& plan);
audit::IntentRecord IntentOf(const TranslateRequest& request, const WritingPlan& plan);

std::vector<audit::CollectionState> StatesOf(const std::vector<store::CollectionInfo>& collections);

audit::OutcomeRecord OutcomeOf(const SearchResponse& response,
                               const std::vector<store::CollectionInfo>& collections);

/// `passages` are the hits that the answer was made from.
audit::OutcomeRecord OutcomeOf(const AskResponse& response, const std::vector<Hit>& passages,
                               const std::vector<store::CollectionInfo>& collections);

audit::OutcomeRecord OutcomeOf(const TranslateResponse& response);

/// What was written until somebody cancelled it stays in the record of a failed request.
void MarkCancelled(audit::OutcomeRecord& record);

/// Runs `work` between INTENT and OUTCOME. `work` returns the record of the outcome; when it
/// throws, an OUTCOME "failed" with the error's code is written and the error goes on. Returns
/// where both entries stand.
template <typename Work>
AuditReference Attest(audit::AuditLog& log, const audit::IntentRecord& intent, const Work& work) {
  audit::PendingIntent pending = log.BeginIntent(intent);
  const std::uint64_t index = pending.index();
  audit::OutcomeRecord outcome;
  try {
    outcome = work();
  } catch (const Error& error) {
    outcome = {};
    outcome.status = audit::OutcomeStatus::kFailed;
    outcome.reason = ErrorCodeName(error.code());
    log.Finish(std::move(pending), outcome);
    throw;
  }
  const audit::Receipt receipt = log.Finish(std::move(pending), outcome);
  return {index, receipt.index, receipt.checkpoint_size};
}

}  // namespace sworn::service
