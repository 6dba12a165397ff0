// Files below folders, read without ever leaving them.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "indexer/source.h"

namespace sworn::indexer {

struct FolderSourceOptions {
  std::vector<std::filesystem::path> paths;  // folders or files
  std::vector<std::string> include;          // globs (core/glob.h); empty: every file
  std::vector<std::string> exclude;
  /// Roots the collection has already: a path below one of them keeps that root, so that a document
  /// is the same one whichever folder above it is named.
  std::vector<std::string> known_roots;
  /// A folder that is never entered: the knowledge base itself.
  std::filesystem::path never_enter;
};

/// Names that are left out unless an include glob asks for them: hidden files, editors' and
/// systems' by-products, version control, build and package folders.
const std::vector<std::string>& DefaultExcludes();

/// Symbolic links are not followed: a link is a fault "symbolic link", so nothing outside a root is
/// read even if a name is exchanged while the run goes on. Thread-safe as Source says.
class FolderSource : public Source {
 public:
  /// Throws kInvalidArgument for a malformed glob or an empty list of paths.
  explicit FolderSource(FolderSourceOptions options);

  SourceListing List() override;
  SourceBytes Read(const SourceItem& item, std::uint64_t max_bytes) override;

 private:
  FolderSourceOptions options_;
};

/// The absolute path of a key.
std::filesystem::path PathOf(const store::SourceKey& key);

}  // namespace sworn::indexer
