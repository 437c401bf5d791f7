#pragma once

#include <chrono>
#include <cstddef>

// Every maximum of the product, with its unit and its reason. Each has a test at N and at N+1, but
// those of the index.
namespace p402::limits {

// Input, per request.
inline constexpr size_t kBodyBytes = 64 * 1024;  // the largest real body is 4 KiB of metadata
inline constexpr size_t kHeadBytes = 16 * 1024;  // request line and headers, as nginx allows in all
inline constexpr size_t kTargetBytes = 8 * 1024;  // one URL
inline constexpr size_t kHeaderCount = 100;       // a head of nothing but tiny headers
inline constexpr size_t kJsonDepth = 16;          // recursion of the JSON parser

// Fields of a key.
inline constexpr size_t kNameCharacters = 100;  // fits a table column
inline constexpr size_t kScopeBytes = 64;
inline constexpr size_t kScopesBytes =
    1024;  // together, with separators: X-Auth-Scopes must fit a header
inline constexpr size_t kMetadataBytes = 4096;  // as compact JSON text
inline constexpr size_t kOwnerBytes = 255;
inline constexpr size_t kCidrCount = 64;
inline constexpr size_t kReasonBytes = 255;  // why a key was revoked
inline constexpr size_t kIdempotencyKeyBytes = 255;
inline constexpr size_t kAccountNameCharacters = 100;
inline constexpr size_t kCascadeKeys = 10'000;  // descendants revoked by one DELETE ?cascade=true

// Lists.
inline constexpr size_t kPageDefault = 100;
inline constexpr size_t kPageMax = 1000;

// Raw keys (K1).
inline constexpr size_t kBrandMinBytes = 2;
inline constexpr size_t kBrandMaxBytes = 10;
inline constexpr size_t kRawKeyRandom = 32;
inline constexpr size_t kRawKeyChecksum = 6;
inline constexpr size_t kRawKeyMaxBytes = 55;  // one SHA-256 block

// The index: beyond either the process ends, as it does without memory. No test can reach them; the
// index asserts that it has room for no less and no more.
inline constexpr size_t kIndexKeys = (size_t{1} << 27) - 2;   // a number of 27 bits names a key
inline constexpr size_t kIndexFactsBytes = size_t{64} << 30;  // 32 bits name 16 bytes of facts

// Time.
inline constexpr std::chrono::hours kIdempotencyRetention{24};
// S1: what is younger is never pruned, so that nobody can do something and delete the trace at once;
// and the hourly anchors of a day stay findable.
inline constexpr std::chrono::hours kAuditPruneMinAge{24};
inline constexpr std::chrono::milliseconds kUsageFlushInterval{
    500};                                               // L1: written at most 1 s after the mark
inline constexpr size_t kUsageMarksPerSecond = 10'000;  // L1: beyond it, rate-bounded
inline constexpr std::chrono::seconds kHeadDeadline{10};
inline constexpr std::chrono::seconds kBodyDeadline{20};
inline constexpr std::chrono::seconds kIdleDeadline{75};  // keep-alive, as nginx
inline constexpr std::chrono::seconds kWriteDeadline{30};

}  // namespace p402::limits
