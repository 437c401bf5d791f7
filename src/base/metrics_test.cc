#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <thread>

namespace p402 {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Metrics, TheSameNameAndLabelsGiveTheSameObject) {
  const auto metrics = Metrics::Create();
  Counter& a = metrics->counter("p402_things_total", "Things.", {{"kind", "a"}});
  Counter& b = metrics->counter("p402_things_total", "Things.", {{"kind", "b"}});
  EXPECT_NE(&a, &b);
  EXPECT_EQ(&a, &metrics->counter("p402_things_total", "Things.", {{"kind", "a"}}));
  EXPECT_EQ(&metrics->histogram("p402_s", "S."), &metrics->histogram("p402_s", "S."));
}

TEST(MetricsDeathTest, ANameOfTwoTypesIsADefect) {
  const auto metrics = Metrics::Create();
  metrics->counter("p402_x", "X.");
  EXPECT_DEATH(metrics->histogram("p402_x", "X."), "CHECK failed");
}

TEST(Metrics, CountersOfManyThreadsLoseNothing) {
  const auto metrics = Metrics::Create();
  Counter& counter = metrics->counter("p402_x_total", "X.");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 20; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) counter.Add();
        counter.Add(5);
      });
    }
  }
  EXPECT_EQ(counter.Value(), 20u * 1005);
}

// Some threads have a stripe for themselves and the later ones share: there are enough of both.
TEST(Metrics, ObservationsOfManyThreadsLoseNothing) {
  const auto metrics = Metrics::Create();
  Histogram& histogram = metrics->histogram("p402_seconds", "Time.");
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 40; ++t) {
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) histogram.Observe(0.001, 2);
      });
    }
  }
  EXPECT_THAT(metrics->Expose(), HasSubstr("p402_seconds_bucket{le=\"0.0005\"} 0\n"));
  EXPECT_THAT(metrics->Expose(), HasSubstr("p402_seconds_bucket{le=\"0.001\"} 80000\n"));
  EXPECT_THAT(metrics->Expose(), HasSubstr("p402_seconds_sum 80\n"));
}

TEST(Metrics, ExposesTheTextFormat) {
  const auto metrics = Metrics::Create();
  metrics->counter("p402_requests_total", "Requests.", {{"code", "valid"}}).Add(3);
  double value = 1.5;
  metrics->AddGauge("p402_keys", "Keys.", {{"mode", "live"}}, [&] { return value; });
  EXPECT_THAT(metrics->Expose(), HasSubstr("# HELP p402_requests_total Requests.\n"
                                           "# TYPE p402_requests_total counter\n"
                                           "p402_requests_total{code=\"valid\"} 3\n"));
  EXPECT_THAT(metrics->Expose(), HasSubstr("# TYPE p402_keys gauge\n"
                                           "p402_keys{mode=\"live\"} 1.5\n"));
  value = 2;
  EXPECT_THAT(metrics->Expose(), HasSubstr("p402_keys{mode=\"live\"} 2\n"));
}

TEST(Metrics, AGaugeMayUseTheMetricsItself) {
  const auto metrics = Metrics::Create();
  metrics->AddGauge("p402_a", "A.", {}, [&] {
    return static_cast<double>(metrics->counter("p402_b_total", "B.").Value());
  });
  EXPECT_THAT(metrics->Expose(), HasSubstr("p402_a 0\n"));
}

TEST(Metrics, BucketsGoFrom50MicrosecondsTo10Seconds) {
  const auto metrics = Metrics::Create();
  Histogram& histogram = metrics->histogram("p402_seconds", "Time.");
  histogram.Observe(0.00005);   // the bound belongs to its bucket
  histogram.Observe(0.000051);  // the next one
  histogram.Observe(10.0);
  histogram.Observe(10.5);
  const std::string text = metrics->Expose();
  EXPECT_THAT(text, HasSubstr("# TYPE p402_seconds histogram\n"));
  EXPECT_THAT(text, HasSubstr("p402_seconds_bucket{le=\"5e-05\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("p402_seconds_bucket{le=\"0.0001\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("p402_seconds_bucket{le=\"2.5\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("p402_seconds_bucket{le=\"10\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("p402_seconds_bucket{le=\"+Inf\"} 4\n"));
  EXPECT_THAT(text, HasSubstr("p402_seconds_count 4\n"));
  EXPECT_THAT(text, HasSubstr("p402_seconds_sum 20.5001"));
}

TEST(Metrics, AnImpossibleDurationDoesNotSpoilTheSum) {
  const auto metrics = Metrics::Create();
  Histogram& histogram = metrics->histogram("p402_seconds", "Time.");
  histogram.Observe(-1);
  histogram.Observe(std::numeric_limits<double>::quiet_NaN());
  EXPECT_THAT(metrics->Expose(), HasSubstr("p402_seconds_sum 0\n"));
  histogram.Observe(std::numeric_limits<double>::infinity());
  EXPECT_THAT(metrics->Expose(), HasSubstr("p402_seconds_sum 1000000\n"));
  EXPECT_THAT(metrics->Expose(), HasSubstr("p402_seconds_count 3\n"));
}

TEST(Metrics, LabelsAreEscaped) {
  const auto metrics = Metrics::Create();
  metrics->counter("p402_x_total", "X.", {{"a", "1\"}\n2\\"}}).Add();
  EXPECT_THAT(metrics->Expose(), HasSubstr("p402_x_total{a=\"1\\\"}\\n2\\\\\"} 1\n"));
  EXPECT_THAT(metrics->Expose(), Not(HasSubstr("\n2")));
}

}  // namespace
}  // namespace p402
