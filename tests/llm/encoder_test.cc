// The encoder against plain loops, and its bits against themselves.
#include "llm/graph/encoder.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "llm/files/import.h"
#include "tests/llm/engine_fixture.h"
#include "tests/llm/reference_encoder.h"
#include "tests/llm/reference_model.h"
#include "tests/support/temp_folder.h"
#include "tests/support/tiny_encoder.h"

namespace sworn::llm {
namespace {

using sworn::test::MakeTinyEncoder;
using sworn::test::TempFolder;
using sworn::test::TinyEncoder;
using sworn::test::TinyEncoderOptions;
using testing::HasSubstr;
using testing::ThrowsMessage;

const kernels::KernelTable& Best() { return *kernels::RunnableKernels().front(); }

std::shared_ptr<const EncoderModel> Load(const TinyEncoder& tiny, ThreadTeam& team,
                                         const kernels::KernelTable& kernels = Best()) {
  const TempFolder folder;
  const auto path = folder.path() / "tiny.gguf";
  WriteTinyEncoderGguf(tiny, path);
  return EncoderModel::Load(OpenModelFile(path), kernels, team);
}

// The bits of the hidden states of `texts`, packed as `packs` says: lists of indices.
std::vector<std::vector<std::uint32_t>> HiddenStates(
    const EncoderModel& model, ThreadTeam& team, const std::vector<std::vector<Token>>& texts,
    const std::vector<std::vector<std::size_t>>& packs) {
  Encoder encoder(model, team);
  std::vector<std::vector<std::uint32_t>> out(texts.size());
  for (const auto& pack : packs) {
    std::vector<Token> tokens;
    std::vector<std::size_t> ends;
    for (const std::size_t index : pack) {
      tokens.insert(tokens.end(), texts[index].begin(), texts[index].end());
      ends.push_back(tokens.size());
    }
    const auto states = encoder.Run(tokens, ends, CancelFlag());
    std::size_t begin = 0;
    for (std::size_t i = 0; i < pack.size(); ++i) {
      out[pack[i]] = test::Bits(
          states.subspan(begin * model.config().hidden, (ends[i] - begin) * model.config().hidden));
      begin = ends[i];
    }
  }
  return out;
}

struct Case {
  const char* name;
  TinyEncoderOptions options;
};

class EncoderReferenceTest : public testing::TestWithParam<Case> {};

TEST_P(EncoderReferenceTest, GivesTheHiddenStatesOfPlainLoops) {
  TinyEncoder tiny = MakeTinyEncoder(GetParam().options);
  ThreadTeam team(2);
  const auto model = Load(tiny, team);
  for (const std::size_t length : {1, 2, 9, 70}) {
    const auto tokens = test::RandomTokens(length, tiny.pieces.size(), 7 + length);
    Encoder encoder(*model, team);
    const std::size_t end = tokens.size();
    const auto states = encoder.Run(tokens, std::span(&end, 1), CancelFlag());
    const double error = test::RelativeRms(states, test::ReferenceEncoder(tiny, tokens));
    EXPECT_LT(error, 1e-3) << length << " tokens";  // keys and values are binary16
    RecordProperty("error_" + std::to_string(length), std::to_string(error));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, EncoderReferenceTest,
    testing::Values(Case{"F32", {}}, Case{"F16", {.linear = DType::kF16}},
                    Case{"Bf16", {.linear = DType::kBf16}}, Case{"Offset", {.position_offset = 2}},
                    Case{"Wide", {.hidden = 128, .layers = 3, .heads = 2, .ffn = 260, .seed = 3}}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(EncoderTest, AFolderGivesTheSameBitsAsTheFile) {
  for (const std::size_t offset : {0, 2}) {
    const TinyEncoder tiny =
        MakeTinyEncoder({.position_offset = offset, .linear = DType::kF16, .pooling_type = 2});
    const TempFolder folder;
    WriteTinyEncoderFolder(tiny, folder.path() / "model");
    ThreadTeam team(1);
    const auto from_folder =
        EncoderModel::Load(OpenModelFile(folder.path() / "model"), Best(), team);
    const auto from_file = Load(tiny, team);
    EXPECT_EQ(from_folder->config().pooling, Pooling::kCls);
    EXPECT_EQ(from_folder->config().positions, from_file->config().positions);
    const auto tokens = from_folder->Encode("the thing and others.");
    EXPECT_EQ(tokens, from_file->Encode("the thing and others."));
    EXPECT_EQ(HiddenStates(*from_folder, team, {tokens}, {{0}}),
              HiddenStates(*from_file, team, {tokens}, {{0}}));
  }
}

void ImportInt8(const TinyEncoder& tiny, const std::filesystem::path& path) {
  const TempFolder folder;
  WriteTinyEncoderFolder(tiny, folder.path() / "model");
  FileOps ops;
  const ImportSummary summary = ImportModel(
      folder.path() / "model", path, {.pre_tokenizer = {}, .int8 = true}, ops,
      [](std::uint64_t, std::uint64_t) {}, CancelFlag());
  EXPECT_EQ(summary.rounded, 6 * tiny.options.layers);
}

TEST(EncoderTest, Int8WeightsStayCloseToTheFloats) {
  TinyEncoder tiny = MakeTinyEncoder({.hidden = 128, .ffn = 256, .seed = 5});
  const TempFolder folder;
  ImportInt8(tiny, folder.path() / "int8.gguf");
  ThreadTeam team(2);
  const auto model = EncoderModel::Load(OpenModelFile(folder.path() / "int8.gguf"), Best(), team);
  EXPECT_TRUE(model->config().int8);
  const auto tokens = test::RandomTokens(50, tiny.pieces.size(), 1);
  Encoder encoder(*model, team);
  const std::size_t end = tokens.size();
  const auto states = encoder.Run(tokens, std::span(&end, 1), CancelFlag());
  EXPECT_LT(test::RelativeRms(states, test::ReferenceEncoder(tiny, tokens)), 0.03);
}

TEST(EncoderTest, TheBitsDoNotDependOnPackingThreadsOrKernels) {
  for (const bool int8 : {false, true}) {
    const TinyEncoder tiny = MakeTinyEncoder({.hidden = 80, .heads = 4, .ffn = 140, .seed = 9});
    const TempFolder folder;
    const auto path = folder.path() / "tiny.gguf";
    if (int8) {
      ImportInt8(tiny, path);
    } else {
      WriteTinyEncoderGguf(tiny, path);
    }
    std::vector<std::vector<Token>> texts;
    for (const std::size_t length : {1, 3, 64, 65, 7, 80, 2, 40}) {
      texts.push_back(test::RandomTokens(length, tiny.pieces.size(), length));
    }
    const std::vector<std::vector<std::size_t>> alone = {{0}, {1}, {2}, {3}, {4}, {5}, {6}, {7}};
    std::vector<std::vector<std::uint32_t>> expected;
    for (const kernels::KernelTable* const table : kernels::RunnableKernels()) {
      // Other threads wait long for their turn on a busy machine: one table is enough for them.
      for (const std::size_t threads : {1, 3}) {
        if (threads > 1 && table != &Best()) continue;
        ThreadTeam team(threads);
        const auto model = EncoderModel::Load(OpenModelFile(path), *table, team);
        if (expected.empty()) expected = HiddenStates(*model, team, texts, alone);
        EXPECT_EQ(HiddenStates(*model, team, texts, {{7, 6, 5, 4}, {3, 1, 2, 0}}), expected)
            << table->name << ", " << threads << " threads";
      }
    }
  }
}

TEST(EncoderTest, TextsAreCutAtTheModelsPositions) {
  const TinyEncoder tiny = MakeTinyEncoder({.positions = 10});
  ThreadTeam team(1);
  const auto model = Load(tiny, team);
  EXPECT_THAT(model->Encode(""), testing::ElementsAre(2, 3));
  const auto tokens = model->Encode("a b c d e f g h i j k l m");
  EXPECT_EQ(tokens.size(), 10U);
  EXPECT_EQ(tokens.front(), 2);
  EXPECT_EQ(tokens.back(), 3);
}

TEST(EncoderTest, WhatItCannotReadIsRefused) {
  const TinyEncoder tiny = MakeTinyEncoder({.positions = 10});
  ThreadTeam team(1);
  const auto model = Load(tiny, team);
  Encoder encoder(*model, team);
  const auto run = [&](std::vector<Token> tokens, std::vector<std::size_t> ends) {
    return [&encoder, tokens, ends] { encoder.Run(tokens, ends, CancelFlag()); };
  };
  EXPECT_THAT(run(std::vector<Token>(11, 5), {11}), ThrowsMessage<Error>(HasSubstr("11 tokens")));
  EXPECT_THAT(run({5, 5}, {1, 1, 2}), ThrowsMessage<Error>(HasSubstr("0 tokens")));
  EXPECT_THAT(run({5, 5}, {1}), ThrowsMessage<Error>(HasSubstr("do not end")));
  EXPECT_THAT(run({5, 5000}, {2}), ThrowsMessage<Error>(HasSubstr("5000")));
}

TEST(EncoderTest, DamagedModelsNameTheTensor) {
  const auto refused = [](const std::function<void(TinyEncoder&)>& change,
                          const std::string& named) {
    TinyEncoder tiny = MakeTinyEncoder({});
    change(tiny);
    ThreadTeam team(1);
    EXPECT_THAT([&] { Load(tiny, team); }, ThrowsMessage<Error>(HasSubstr(named)));
  };
  refused([](TinyEncoder& t) { t.tensor("blk.1.attn_k.bias").name = "other"; },
          "blk.1.attn_k.bias");
  refused([](TinyEncoder& t) { t.tensor("position_embd.weight").name = "other"; },
          "position_embd.weight");
  refused(
      [](TinyEncoder& t) {
        t.tensor("blk.0.ffn_up.weight").shape = {t.options.hidden, t.options.ffn};
      },
      "blk.0.ffn_up.weight");
  refused([](TinyEncoder& t) { t.tensor("blk.0.layer_output_norm.weight").values[3] = NAN; },
          "not finite");
  refused([](TinyEncoder& t) { t.options.heads = 7; }, "heads");
  refused([](TinyEncoder& t) { t.options.positions = 500; }, "position_embd.weight");
  refused([](TinyEncoder& t) { t.options.pooling_type = 3; }, "pooling_type");
  refused([](TinyEncoder& t) { t.pieces[2] = "cls"; }, "[CLS]");
}

}  // namespace
}  // namespace sworn::llm
