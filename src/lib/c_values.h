#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "index/index.h"
#include "key/decision.h"
#include "p402/c.h"
#include "service/keys.h"

// Between the values of p402/c.h and those of the floors below.
namespace p402::lib {

inline std::string_view ViewOf(const p402_text& text) {
  return text.data == nullptr ? std::string_view() : std::string_view(text.data, text.size);
}
// A text whose memory could not be had, say: it must not count as absent.
inline bool IsBroken(const p402_text& text) {
  return text.data == nullptr && text.size > 0;
}
// Errors: kInvalidArgument (`field`) for a count without texts, or a size without a text.
Result<std::vector<std::string>> TextsOf(const p402_text* texts, size_t count,
                                         std::string_view field);

// P402_OK, or the code of `status`, whose texts go into `error` unless it is null.
int Report(const Status& status, p402_error* error);

// Copies `text` with a NUL, cut to what fits.
void CopyText(std::string_view text, std::span<char> out);

inline bool IsZero(std::span<const uint64_t, 4> reserved) {
  return (reserved[0] | reserved[1] | reserved[2] | reserved[3]) == 0;
}
// Errors: kInvalidArgument, field "reserved", unless all of it is zero.
Status CheckReserved(std::span<const uint64_t, 4> reserved);

// A p402_question, read. Holds what key::Question points to; one for each thread is used again and
// again, so that it does not allocate.
class QuestionReader {
 public:
  // `first_account` is what an absent account means.
  // Lifetime of the result: until the next call.
  // Errors: kInvalidArgument with the field.
  Result<key::Question> Read(const p402_question& question, const key::AccountId& first_account);

 private:
  Status ReadScopes(const p402_question& question);
  std::vector<std::string> scopes_;
};

int CodeOf(key::Decision decision);
// Fills `out`, which is zeroed, with the answer. The only place that reads the found key.
// `texts` may be null.
// Errors: kTooLarge if the texts do not fit: a key beyond the limits.
Status WriteAnswer(const index::Answer& answer, p402_answer& out, p402_texts* texts);

void WriteCreated(const service::CreatedKey& created, p402_created& out);

Result<service::CreateRequest> ReadNewKey(const p402_new_key& wanted);
// Errors: kInvalidArgument, field "key_id".
Result<key::KeyId> ReadKeyId(const p402_text& text);

}  // namespace p402::lib
