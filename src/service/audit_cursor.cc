#include "service/audit_cursor.h"

#include <algorithm>
#include <span>

#include "base/secret.h"
#include "key/digest.h"

namespace p402::service {
namespace {

// A cursor is 32 bytes in hex, enciphered as in SIV: nothing random is needed, because the tag of
// what is hidden is what hides it.
//
//   tag (24) = SHA-256(secret, 'T', account, number), cut
//   box (8)  = number XOR SHA-256(secret, 'P', tag), cut
//
// Each input has one length only and each hash is cut, so that SHA-256 with the secret in front is
// as good as HMAC.
constexpr size_t kTagBytes = 24;
constexpr size_t kNumberBytes = 8;
using Secret32 = std::array<uint8_t, 32>;
using NumberBytes = std::array<uint8_t, kNumberBytes>;

key::Digest Keyed(const Secret32& secret, char purpose, std::span<const uint8_t> first,
                  std::span<const uint8_t> second) {
  std::string input(secret.begin(), secret.end());
  input += purpose;
  input.append(first.begin(), first.end());
  input.append(second.begin(), second.end());
  return key::DigestOf(input);
}

NumberBytes ToBytes(int64_t number) {
  NumberBytes bytes;
  for (size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = static_cast<uint8_t>(static_cast<uint64_t>(number) >> (8 * i));
  }
  return bytes;
}

int64_t ToNumber(const NumberBytes& bytes) {
  uint64_t number = 0;
  for (size_t i = 0; i < bytes.size(); ++i) number |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  return static_cast<int64_t>(number);
}

NumberBytes Masked(const Secret32& secret, std::span<const uint8_t> tag, NumberBytes bytes) {
  const key::Digest pad = Keyed(secret, 'P', tag, {});
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] ^= pad[i];
  return bytes;
}

}  // namespace

std::string AuditCursors::Seal(const key::AccountId& account, int64_t number) const {
  const NumberBytes bytes = ToBytes(number);
  key::Digest cursor = Keyed(secret_, 'T', account.uuid, bytes);
  const auto box = Masked(secret_, std::span(cursor).first(kTagBytes), bytes);
  std::ranges::copy(box, cursor.begin() + kTagBytes);
  return key::ToHex(cursor);
}

std::optional<int64_t> AuditCursors::Open(const key::AccountId& account,
                                          std::string_view cursor) const {
  const auto bytes = key::ParseDigest(cursor);
  if (!bytes) return std::nullopt;
  NumberBytes box;
  std::ranges::copy(std::span(*bytes).last(kNumberBytes), box.begin());
  const int64_t number = ToNumber(Masked(secret_, std::span(*bytes).first(kTagBytes), box));
  if (!Secret(Seal(account, number)).EqualsConstantTime(cursor)) return std::nullopt;
  return number;
}

}  // namespace p402::service
