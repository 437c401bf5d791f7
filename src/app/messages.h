#pragma once

#include <string>
#include <string_view>

#include "app/node.h"
#include "store/audit.h"
#include "store/sqlite/sqlite_store.h"

namespace p402::app {

// What a person needs to use the first key: the key itself, once, and which store is new; `url` is
// where the server answers, empty if it does not. The caller wipes the text.
std::string FirstKeyText(const FirstKey& key, std::string_view folder, std::string_view url);
// C2, with a newline. The caller wipes the text.
std::string FirstKeyJson(const FirstKey& key);

// "Loading keys: 1,200,000 of 10,000,000 (12 %)".
std::string ProgressText(const feed::Progress& progress);

// C5, with newlines. `is_accepted`: keys that come back to life were accepted.
std::string RestoreText(const store::sqlite::RestoreReport& report, bool is_accepted);
std::string RestoreJson(const store::sqlite::RestoreReport& report);

// S1, with newlines. `has_anchor`: one was asked for.
std::string VerdictText(const store::AuditVerdict& verdict, bool has_anchor);
std::string VerdictJson(const store::AuditVerdict& verdict);

}  // namespace p402::app
