#include "base/metrics.h"

#include <gtest/gtest.h>

#include <thread>

namespace p402 {
namespace {

bool Has(const std::string& text, std::string_view line) {
  return text.find(line) != std::string::npos;
}

TEST(Metrics, CountsFromManyThreads) {
  const auto metrics = Metrics::Create();
  Counter& counter = metrics->counter("p402_things_total", "Things.");
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 10'000; ++n) counter.Add();
      });
    }
  }
  EXPECT_EQ(counter.Value(), 80'000u);
  const std::string text = metrics->Expose();
  EXPECT_TRUE(Has(text, "# TYPE p402_things_total counter\n"));
  EXPECT_TRUE(Has(text, "p402_things_total 80000\n")) << text;
}

TEST(Metrics, TheSameNameAndLabelsAreTheSameCounter) {
  const auto metrics = Metrics::Create();
  Counter& one = metrics->counter("p402_x_total", "X.", {{"code", "a"}});
  EXPECT_EQ(&one, &metrics->counter("p402_x_total", "X.", {{"code", "a"}}));
  EXPECT_NE(&one, &metrics->counter("p402_x_total", "X.", {{"code", "b"}}));
}

TEST(Metrics, AHistogramIsCumulative) {
  const auto metrics = Metrics::Create();
  Histogram& histogram = metrics->histogram("p402_time_seconds", "Time.");
  histogram.Observe(0.00001);
  histogram.Observe(0.003);
  histogram.Observe(100);
  const std::string text = metrics->Expose();
  EXPECT_TRUE(Has(text, "p402_time_seconds_bucket{le=\"5e-05\"} 1\n")) << text;
  EXPECT_TRUE(Has(text, "p402_time_seconds_bucket{le=\"0.005\"} 2\n")) << text;
  EXPECT_TRUE(Has(text, "p402_time_seconds_bucket{le=\"10\"} 2\n")) << text;
  EXPECT_TRUE(Has(text, "p402_time_seconds_bucket{le=\"+Inf\"} 3\n")) << text;
  EXPECT_TRUE(Has(text, "p402_time_seconds_count 3\n")) << text;
}

TEST(Metrics, AGaugeIsReadAtEachExposition) {
  const auto metrics = Metrics::Create();
  double value = 1;
  metrics->AddGauge("p402_level", "Level.", {}, [&] { return value; });
  EXPECT_TRUE(Has(metrics->Expose(), "p402_level 1\n"));
  value = 2;
  EXPECT_TRUE(Has(metrics->Expose(), "p402_level 2\n"));
}

}  // namespace
}  // namespace p402
