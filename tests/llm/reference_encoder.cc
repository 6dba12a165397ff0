#include "tests/llm/reference_encoder.h"

#include <algorithm>
#include <cmath>
#include <string>

namespace sworn::llm::test {
namespace {

using Rows = std::vector<std::vector<double>>;
using sworn::test::TinyEncoder;

class Reference {
 public:
  explicit Reference(TinyEncoder& model) : model_(model) {}

  Rows Run(std::span<const Token> tokens) {
    const auto& o = model_.options;
    Rows x;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
      auto& row = x.emplace_back();
      for (std::size_t d = 0; d < o.hidden; ++d) {
        const auto token = static_cast<std::size_t>(tokens[t]);
        row.push_back(At("token_embd.weight", token * o.hidden + d) +
                      At("position_embd.weight", (t + o.position_offset) * o.hidden + d) +
                      At("token_types.weight", d));
      }
    }
    Norm(x, "token_embd_norm");
    for (std::size_t i = 0; i < o.layers; ++i) Layer("blk." + std::to_string(i) + ".", x);
    return x;
  }

 private:
  double At(const std::string& name, std::size_t index) {
    return static_cast<double>(model_.tensor(name).values.at(index));
  }

  Rows Linear(const Rows& x, const std::string& name) {
    const auto& weight = model_.tensor(name + ".weight");
    Rows out;
    for (const auto& row : x) {
      auto& y = out.emplace_back();
      for (std::size_t r = 0; r < weight.shape[0]; ++r) {
        double sum = At(name + ".bias", r);
        for (std::size_t c = 0; c < weight.shape[1]; ++c) {
          sum += static_cast<double>(weight.values[r * weight.shape[1] + c]) * row[c];
        }
        y.push_back(sum);
      }
    }
    return out;
  }

  void Norm(Rows& x, const std::string& name) {
    for (auto& row : x) {
      const auto n = static_cast<double>(row.size());
      double mean = 0;
      for (const double v : row) mean += v / n;
      double variance = 0;
      for (const double v : row) variance += (v - mean) * (v - mean) / n;
      for (std::size_t d = 0; d < row.size(); ++d) {
        row[d] = (row[d] - mean) / std::sqrt(variance + 1e-12) * At(name + ".weight", d) +
                 At(name + ".bias", d);
      }
    }
  }

  Rows Attend(const Rows& q, const Rows& k, const Rows& v) {
    const std::size_t dim = model_.options.hidden / model_.options.heads;
    Rows out(q.size(), std::vector<double>(model_.options.hidden));
    for (std::size_t head = 0; head < model_.options.heads; ++head) {
      for (std::size_t t = 0; t < q.size(); ++t) {
        std::vector<double> weights;
        for (const auto& key : k) {
          double score = 0;
          for (std::size_t d = head * dim; d < (head + 1) * dim; ++d) score += q[t][d] * key[d];
          weights.push_back(std::exp(score / std::sqrt(static_cast<double>(dim))));
        }
        double sum = 0;
        for (const double weight : weights) sum += weight;
        for (std::size_t j = 0; j < v.size(); ++j) {
          for (std::size_t d = head * dim; d < (head + 1) * dim; ++d) {
            out[t][d] += weights[j] / sum * v[j][d];
          }
        }
      }
    }
    return out;
  }

  static void Add(Rows& x, const Rows& y) {
    for (std::size_t t = 0; t < x.size(); ++t) {
      for (std::size_t d = 0; d < x[t].size(); ++d) x[t][d] += y[t][d];
    }
  }

  void Layer(const std::string& prefix, Rows& x) {
    const Rows attended = Attend(Linear(x, prefix + "attn_q"), Linear(x, prefix + "attn_k"),
                                 Linear(x, prefix + "attn_v"));
    Add(x, Linear(attended, prefix + "attn_output"));
    Norm(x, prefix + "attn_output_norm");
    Rows inner = Linear(x, prefix + "ffn_up");
    for (auto& row : inner) {
      for (double& v : row) v = 0.5 * v * std::erfc(-v / std::sqrt(2.0));
    }
    Add(x, Linear(inner, prefix + "ffn_down"));
    Norm(x, prefix + "layer_output_norm");
  }

  TinyEncoder& model_;
};

}  // namespace

std::vector<float> ReferenceEncoder(TinyEncoder& model, std::span<const Token> tokens) {
  std::vector<float> states;
  for (const auto& row : Reference(model).Run(tokens)) {
    for (const double v : row) states.push_back(static_cast<float>(v));
  }
  return states;
}

}  // namespace sworn::llm::test
