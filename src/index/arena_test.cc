#include "index/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

namespace p402::index {
namespace {

struct Piece {
  uint32_t reference;
  size_t bytes;
  unsigned char fill;
};

bool IsIntact(const Arena& arena, const Piece& piece) {
  const std::byte* bytes = arena.At(piece.reference);
  for (size_t i = 0; i < piece.bytes; ++i) {
    if (bytes[i] != std::byte{piece.fill}) return false;
  }
  return true;
}

// Every piece is filled with a byte of its own, which stays while others come and go.
TEST(Arena, PiecesOfAllSizesKeepTheirBytes) {
  std::mt19937 dice(1);
  Arena arena;
  std::vector<Piece> pieces;
  for (int i = 0; i < 20'000; ++i) {
    if (!pieces.empty() && dice() % 2 == 0) {
      std::swap(pieces[dice() % pieces.size()], pieces.back());
      ASSERT_TRUE(IsIntact(arena, pieces.back())) << i;
      arena.Free(pieces.back().reference, pieces.back().bytes);
      pieces.pop_back();
      continue;
    }
    const size_t most = dice() % 200 == 0 ? 1 << 20 : size_t{1} << dice() % 12;
    Piece piece{.reference = 0, .bytes = 1 + dice() % most, .fill = static_cast<unsigned char>(i)};
    piece.reference = arena.Allocate(piece.bytes);
    ASSERT_NE(piece.reference, 0u);
    std::memset(arena.At(piece.reference), piece.fill, piece.bytes);
    pieces.push_back(piece);
  }
  for (const Piece& piece : pieces) {
    ASSERT_TRUE(IsIntact(arena, piece));
    arena.Free(piece.reference, piece.bytes);
  }
  EXPECT_EQ(arena.used_bytes(), 0u);
}

TEST(Arena, WhatWasFreedIsUsedAgain) {
  Arena arena;
  std::vector<uint32_t> pieces;
  for (int i = 0; i < 100'000; ++i) pieces.push_back(arena.Allocate(100));
  const size_t mapped = arena.mapped_bytes();
  for (const uint32_t piece : pieces) arena.Free(piece, 100);
  for (size_t i = 0; i < pieces.size(); ++i) arena.Allocate(110);
  EXPECT_EQ(arena.mapped_bytes(), mapped) << "112 bytes either way";
  EXPECT_EQ(arena.used_bytes(), pieces.size() * 112);
}

TEST(Arena, AtMostAnEighthIsLost) {
  Arena arena;
  for (size_t bytes = 200; bytes < 3 * kHugePageBytes; bytes = bytes * 11 / 10 + 1) {
    const size_t before = arena.used_bytes();
    arena.Allocate(bytes);
    const size_t used = arena.used_bytes() - before;
    EXPECT_GE(used, bytes);
    EXPECT_LE(used, bytes + bytes / 8 + Arena::kUnitBytes) << bytes;
  }
}

TEST(Arena, ALargePieceThatIsFreedIsGivenBack) {
  Arena arena;
  const size_t mapped = arena.mapped_bytes();
  const uint32_t large = arena.Allocate(5 << 20);
  EXPECT_GT(arena.mapped_bytes(), mapped + (5 << 20) - 1);
  arena.Free(large, 5 << 20);
  EXPECT_EQ(arena.mapped_bytes(), mapped);
  EXPECT_EQ(arena.Allocate(5 << 20), large) << "its number is used again";
}

}  // namespace
}  // namespace p402::index
