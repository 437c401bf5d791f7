// Runs a fuzz target once over each file of its corpus: how the seeds are tested with compilers and
// sanitizers that have no fuzzer. Usage: TARGET FOLDER
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <system_error>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

std::vector<std::filesystem::path> FilesOf(const char* folder) {
  std::vector<std::filesystem::path> files;
  std::error_code error;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder, error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

bool Replay(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  if (in.bad() || !in.is_open()) return false;
  // A copy of exactly this size: an address sanitizer sees a read past its end.
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", argv[0]);
    return 2;
  }
  const auto files = FilesOf(argv[1]);
  if (files.empty()) {
    std::fprintf(stderr, "%s: no seed to replay; a fuzz target has a corpus\n", argv[1]);
    return 1;
  }
  for (const auto& file : files) {
    std::printf("%s\n", file.c_str());
    std::fflush(stdout);  // the last line names the file that crashed
    if (!Replay(file)) {
      std::fprintf(stderr, "%s: cannot be read\n", file.c_str());
      return 1;
    }
  }
  std::printf("replayed %zu files of %s\n", files.size(), argv[1]);
  return 0;
}
