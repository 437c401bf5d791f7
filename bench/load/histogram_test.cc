#include "bench/load/histogram.h"

#include <gtest/gtest.h>

namespace p402::bench {
namespace {

TEST(Histogram, IsEmptyAtFirst) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0u);
  EXPECT_EQ(histogram.Quantile(0.5), 0);
  EXPECT_EQ(histogram.max(), 0);
}

TEST(Histogram, IsExactBelow256) {
  Histogram histogram;
  for (int64_t value = 1; value <= 200; ++value) histogram.Add(value);
  EXPECT_EQ(histogram.Quantile(0), 1);
  EXPECT_EQ(histogram.Quantile(0.005), 1);
  EXPECT_EQ(histogram.Quantile(0.006), 2);
  EXPECT_EQ(histogram.Quantile(0.5), 100);
  EXPECT_EQ(histogram.Quantile(0.99), 198);
  EXPECT_EQ(histogram.Quantile(1), 200);
}

TEST(Histogram, IsWithinOnePart) {
  for (int64_t value = 1; value < Histogram::kMax / 3; value = value * 3 + 1) {
    Histogram histogram;
    histogram.Add(value);
    histogram.Add(Histogram::kMax);  // so that the maximum does not bound the answer
    EXPECT_GE(histogram.Quantile(0.5), value);
    EXPECT_LE(histogram.Quantile(0.5), value + value / 128);
  }
}

// Two values on both sides of every edge: a bucket that reached over it would make them one.
TEST(Histogram, KeepsPowersOfTwoApart) {
  for (int64_t edge = 256; edge < Histogram::kMax; edge *= 2) {
    Histogram histogram;
    histogram.Add(edge - 1);
    histogram.Add(edge);
    histogram.Add(edge * 2);
    EXPECT_EQ(histogram.Quantile(0.3), edge - 1);
    EXPECT_GE(histogram.Quantile(0.6), edge);
    EXPECT_LT(histogram.Quantile(0.6), edge + edge / 64);
  }
}

TEST(Histogram, NeverAnswersMoreThanTheMaximum) {
  Histogram histogram;
  histogram.Add(1'000'001);
  EXPECT_EQ(histogram.Quantile(0.99), 1'000'001);
}

TEST(Histogram, ClampsWhatIsOutside) {
  Histogram histogram;
  histogram.Add(-5);
  EXPECT_EQ(histogram.max(), 0);
  histogram.Add(Histogram::kMax + 1);
  EXPECT_EQ(histogram.max(), Histogram::kMax);
  EXPECT_EQ(histogram.Quantile(1), Histogram::kMax);
  EXPECT_EQ(histogram.count(), 2u);
}

}  // namespace
}  // namespace p402::bench
