#include "store/vector_manifest.h"

#include <nlohmann/json.hpp>

#include "core/error.h"

namespace sworn::store {
namespace {

using nlohmann::json;

constexpr int kFormat = 1;

json HeadOf(const VectorManifest& manifest) {
  const VectorFileFacts& facts = manifest.facts;
  return {{"format", kFormat},
          {"dimension", facts.dimension},
          {"rows", facts.rows},
          {"lists", facts.lists},
          {"probes", facts.probes},
          {"recall_at_10", facts.recall_at_10},
          {"deep_probes", facts.deep_probes},
          {"recall_at_100", facts.recall_at_100},
          {"header_bytes", manifest.header_bytes}};
}

}  // namespace

std::string ManifestHead(const VectorManifest& manifest) { return HeadOf(manifest).dump(); }

std::string WriteManifest(const VectorManifest& manifest) {
  json all = HeadOf(manifest);
  all["sha256"] = manifest.sha256;
  return all.dump() + "\n";
}

VectorManifest ParseManifest(std::string_view text) {
  VectorManifest manifest;
  try {
    const json all = json::parse(text);
    VectorFileFacts& facts = manifest.facts;
    facts.dimension = all.at("dimension").get<std::uint32_t>();
    facts.rows = all.at("rows").get<std::uint64_t>();
    facts.lists = all.at("lists").get<std::uint32_t>();
    facts.probes = all.at("probes").get<std::uint32_t>();
    facts.recall_at_10 = all.at("recall_at_10").get<double>();
    facts.deep_probes = all.at("deep_probes").get<std::uint32_t>();
    facts.recall_at_100 = all.at("recall_at_100").get<double>();
    manifest.header_bytes = all.at("header_bytes").get<std::uint64_t>();
    manifest.sha256 = all.at("sha256").get<std::string>();
  } catch (const json::exception& error) {
    throw Error(ErrorCode::kIntegrity, error.what());
  }
  // Numbers that were cut to size, other formats and further members do not survive this.
  if (WriteManifest(manifest) != text) throw Error(ErrorCode::kIntegrity, "is not as we write it");
  return manifest;
}

std::filesystem::path ManifestPath(const std::filesystem::path& path) {
  return std::filesystem::path(path).replace_extension(".json");
}

std::filesystem::path ExactRowsPath(const std::filesystem::path& path) {
  return std::filesystem::path(path).replace_extension(".f32");
}

}  // namespace sworn::store
