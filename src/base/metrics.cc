#include "base/metrics.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <limits>
#include <mutex>

#include "base/check.h"
#include "base/stripe.h"

namespace p402 {
namespace {

constexpr std::array kBounds = {0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01,
                                0.025,   0.05,   0.1,     0.25,   0.5,   1.0,    2.5,   10.0};

// So that a sum in nanoseconds does not overflow before 20,000 such observations a stripe.
constexpr double kMaxSeconds = 1e6;

struct alignas(64) Stripe {
  std::atomic<uint64_t> count{0};
};

class StripedCounter final : public Counter {
 public:
  void Add(uint64_t count) override {
    const size_t stripe = StripeOfThisThread();
    AddToStripe(stripes_[stripe].count, count, stripe);
  }
  uint64_t Value() const override {
    uint64_t sum = 0;
    for (const Stripe& stripe : stripes_) sum += stripe.count.load(std::memory_order_relaxed);
    return sum;
  }

 private:
  std::array<Stripe, kStripes> stripes_;
};

class StripedHistogram final : public Histogram {
 public:
  void Observe(double seconds, uint64_t count) override {
    seconds = seconds > 0 ? std::min(seconds, kMaxSeconds) : 0;  // NaN too: a sum cannot hold it
    size_t bucket = 0;
    while (bucket < kBounds.size() && seconds > kBounds[bucket]) ++bucket;
    const size_t stripe = StripeOfThisThread();
    AddToStripe(parts_[stripe].counts[bucket], count, stripe);
    AddToStripe(parts_[stripe].sum_ns, static_cast<uint64_t>(seconds * 1e9) * count, stripe);
  }

  prometheus::ClientMetric::Histogram Collect() const {
    prometheus::ClientMetric::Histogram out;
    uint64_t sum_ns = 0;
    for (size_t bucket = 0; bucket <= kBounds.size(); ++bucket) {
      for (const Part& part : parts_) {
        out.sample_count += part.counts[bucket].load(std::memory_order_relaxed);
      }
      const double bound =
          bucket < kBounds.size() ? kBounds[bucket] : std::numeric_limits<double>::infinity();
      prometheus::ClientMetric::Bucket cumulative;
      cumulative.cumulative_count = out.sample_count;
      cumulative.upper_bound = bound;
      out.bucket.push_back(cumulative);
    }
    for (const Part& part : parts_) sum_ns += part.sum_ns.load(std::memory_order_relaxed);
    out.sample_sum = static_cast<double>(sum_ns) / 1e9;
    return out;
  }

 private:
  struct alignas(64) Part {
    std::array<std::atomic<uint64_t>, kBounds.size() + 1> counts{};
    std::atomic<uint64_t> sum_ns{0};
  };
  std::array<Part, kStripes> parts_;
};

// One name, with everything that was registered under it.
struct Family {
  std::string help;
  prometheus::MetricType type = prometheus::MetricType::Untyped;
  std::map<MetricLabels, StripedCounter> counters;
  std::map<MetricLabels, StripedHistogram> histograms;
  std::map<MetricLabels, std::function<double()>> gauges;
};

std::vector<prometheus::ClientMetric::Label> ToLabels(const MetricLabels& labels) {
  std::vector<prometheus::ClientMetric::Label> out;
  for (const auto& [name, value] : labels) out.push_back({name, value});
  return out;
}

prometheus::MetricFamily Collect(const std::string& name, const Family& family) {
  prometheus::MetricFamily out;
  out.name = name;
  out.help = family.help;
  out.type = family.type;
  for (const auto& [labels, counter] : family.counters) {
    auto& metric = out.metric.emplace_back();
    metric.label = ToLabels(labels);
    metric.counter.value = static_cast<double>(counter.Value());
  }
  for (const auto& [labels, histogram] : family.histograms) {
    auto& metric = out.metric.emplace_back();
    metric.label = ToLabels(labels);
    metric.histogram = histogram.Collect();
  }
  return out;
}

class Registry final : public Metrics {
 public:
  Counter& counter(const std::string& name, const std::string& help,
                   const MetricLabels& labels) override {
    std::lock_guard lock(mutex_);
    return FamilyOf(name, help, prometheus::MetricType::Counter).counters[labels];
  }
  Histogram& histogram(const std::string& name, const std::string& help,
                       const MetricLabels& labels) override {
    std::lock_guard lock(mutex_);
    return FamilyOf(name, help, prometheus::MetricType::Histogram).histograms[labels];
  }
  void AddGauge(const std::string& name, const std::string& help, const MetricLabels& labels,
                std::function<double()> read) override {
    std::lock_guard lock(mutex_);
    FamilyOf(name, help, prometheus::MetricType::Gauge).gauges[labels] = std::move(read);
  }
  std::string Expose() const override {
    std::vector<prometheus::MetricFamily> families;
    std::vector<std::map<MetricLabels, std::function<double()>>> gauges;
    {
      std::lock_guard lock(mutex_);
      for (const auto& [name, family] : families_) {
        families.push_back(Collect(name, family));
        gauges.push_back(family.gauges);
      }
    }
    // Outside of the lock: a gauge may take a lock under which others ask for a counter.
    for (size_t i = 0; i < families.size(); ++i) {
      for (const auto& [labels, read] : gauges[i]) {
        auto& metric = families[i].metric.emplace_back();
        metric.label = ToLabels(labels);
        metric.gauge.value = read();
      }
    }
    return prometheus::TextSerializer().Serialize(families);
  }

 private:
  Family& FamilyOf(const std::string& name, const std::string& help, prometheus::MetricType type) {
    const auto [family, is_new] = families_.try_emplace(name);
    if (is_new) {
      family->second.help = help;
      family->second.type = type;
    }
    P402_CHECK(family->second.type == type);
    return family->second;
  }

  mutable std::mutex mutex_;
  std::map<std::string, Family> families_;
};

}  // namespace

std::unique_ptr<Metrics> Metrics::Create() {
  return std::make_unique<Registry>();
}

}  // namespace p402
