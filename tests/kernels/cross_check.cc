// Compares every kernel table that can run here with the scalar one, byte by byte, and prints a
// digest of each function's outputs. Plain C++, so that it can be compiled for another processor
// and run in an emulator: the lines must be the same there. The tables compared go to stderr.
#include <cstdint>
#include <cstdio>
#include <string>

#include "tests/kernels/table_cases.h"

namespace {

/// FNV-1a with 64 bits.
std::uint64_t Digest(const std::vector<std::uint8_t>& bytes) {
  std::uint64_t digest = 0xCBF29CE484222325U;
  for (const std::uint8_t byte : bytes) {
    digest = (digest ^ byte) * 0x100000001B3U;
  }
  return digest;
}

}  // namespace

int main() {
  using sworn::kernels::KernelTable;
  const KernelTable* const scalar = sworn::kernels::FindKernels("scalar");
  std::string names;
  for (const KernelTable* table : sworn::kernels::RunnableKernels()) {
    names += table->name;
    names += table == scalar ? "\n" : " ";
  }
  std::fputs(names.c_str(), stderr);

  bool same = true;
  for (const sworn::kernels::TableCase& test : sworn::kernels::TableCases()) {
    const std::string name(test.name);
    const std::vector<std::uint8_t> expected = test.run(*scalar);
    std::printf("%s %zu %016llx\n", name.c_str(), expected.size(),
                static_cast<unsigned long long>(Digest(expected)));
    for (const KernelTable* table : sworn::kernels::RunnableKernels()) {
      if (table != scalar && test.run(*table) != expected) {
        std::fprintf(stderr, "%s differs on %s\n", name.c_str(), std::string(table->name).c_str());
        same = false;
      }
    }
  }
  return same ? 0 : 1;
}
