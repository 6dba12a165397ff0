#include "api/service/download.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>

#include <curl/curl.h>
#include <fcntl.h>
#include <unistd.h>

#include "core/error.h"

namespace sworn::service {
namespace {

namespace fs = std::filesystem;

constexpr long kConnectSeconds = 30;
constexpr long kMaxRedirects = 10;
constexpr std::size_t kMaxEtagBytes = 1024;
constexpr std::size_t kMaxUrlBytes = 8192;
constexpr std::chrono::milliseconds kCancelPoll{50};
constexpr long kPartial = 206;
constexpr long kRangeRefused = 416;

struct CurlDeleter {
  void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};
using CurlHandle = std::unique_ptr<CURL, CurlDeleter>;
using CurlList = std::unique_ptr<curl_slist, CurlDeleter>;

void InitialiseOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

bool IsWeb(const std::string& url) {
  return url.starts_with("http://") || url.starts_with("https://");
}

std::string_view Trim(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

std::optional<std::string_view> HeaderValue(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  if (!std::equal(name.begin(), name.end(), line.begin(), same)) return std::nullopt;
  return Trim(line.substr(name.size() + 1));
}

// "bytes 100-199/200": first byte and size.
struct ContentRange {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
};
std::optional<ContentRange> ParseContentRange(std::string_view value) {
  if (!value.starts_with("bytes ")) return std::nullopt;
  value.remove_prefix(6);
  ContentRange range;
  const std::size_t slash = value.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const char* end = value.data() + value.size();
  if (std::from_chars(value.data(), end, range.first).ec != std::errc()) return std::nullopt;
  if (std::from_chars(value.data() + slash + 1, end, range.size).ec != std::errc()) {
    return std::nullopt;
  }
  return range;
}

// How one connection ended.
enum class Attempt { kDone, kBroken, kStale };  // kStale: the part is of no use, start anew

// One file on its way. libcurl calls back from curl_easy_perform, in this thread; an exception
// must not cross its frames, so it is kept and thrown again behind them.
class Transfer {
 public:
  Transfer(const DownloadRequest& request, FileOps& ops, const DownloadProgress& progress,
           const CancelFlag& cancel)
      : request_(request), ops_(ops), progress_(progress), cancel_(cancel) {
    etag_file_ = request.part;
    etag_file_ += ".etag";
    fd_ = FileDescriptor(::open(request.part.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    if (!fd_.valid()) throw SystemError(errno, "cannot write", request.part.native());
    std::error_code ignored;
    const std::uint64_t size = fs::file_size(request.part);
    if (fs::exists(etag_file_, ignored)) etag_ = ReadFile(etag_file_, kMaxEtagBytes);
    done_ = etag_.empty() ? 0 : size;
    Restart(done_);
  }

  Attempt Run() {
    // Without a tag nobody can say that the rest will be of the same file.
    if (etag_.empty() && done_ > 0) Restart(0);
    const CurlHandle handle(curl_easy_init());
    if (handle == nullptr) throw Error(ErrorCode::kInternal, "libcurl does not start");
    CurlList headers;
    begun_ = false;
    status_ = 0;
    range_.reset();
    new_etag_.clear();
    Prepare(handle.get(), headers);
    const CURLcode code = curl_easy_perform(handle.get());
    if (failure_) std::rethrow_exception(failure_);
    curl_easy_getinfo(handle.get(), CURLINFO_RESPONSE_CODE, &status_);
    return Judge(code);
  }

  void Finish() {
    ops_.SyncFile(fd_.get(), request_.part);
    std::error_code ignored;
    fs::remove(etag_file_, ignored);
  }

  void StartAnew() {
    Restart(0);
    std::error_code ignored;
    fs::remove(etag_file_, ignored);
    etag_.clear();
  }

  [[nodiscard]] const std::string& last_error() const { return last_error_; }

 private:
  void Restart(std::uint64_t size) {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0 ||
        ::lseek(fd_.get(), static_cast<off_t>(size), SEEK_SET) < 0) {
      throw SystemError(errno, "cannot write", request_.part.native());
    }
    done_ = size;
  }

  void Prepare(CURL* handle, CurlList& headers) {
    curl_easy_setopt(handle, CURLOPT_URL, request_.url.c_str());
    curl_easy_setopt(handle, CURLOPT_PROTOCOLS_STR, "http,https");
    const bool secure = request_.url.starts_with("https://");
    curl_easy_setopt(handle, CURLOPT_REDIR_PROTOCOLS_STR, secure ? "https" : "http,https");
    curl_easy_setopt(handle, CURLOPT_FOLLOWLOCATION, 1L);
    curl_easy_setopt(handle, CURLOPT_MAXREDIRS, kMaxRedirects);
    curl_easy_setopt(handle, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(handle, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(handle, CURLOPT_LOW_SPEED_TIME, static_cast<long>(request_.stall_seconds));
    curl_easy_setopt(handle, CURLOPT_USERAGENT, "sworn");
    curl_easy_setopt(handle, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(handle, CURLOPT_XFERINFOFUNCTION, &Transfer::OnProgress);
    curl_easy_setopt(handle, CURLOPT_XFERINFODATA, this);
    curl_easy_setopt(handle, CURLOPT_HEADERFUNCTION, &Transfer::OnHeader);
    curl_easy_setopt(handle, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, &Transfer::OnBody);
    curl_easy_setopt(handle, CURLOPT_WRITEDATA, this);
    handle_ = handle;
    if (done_ == 0) return;
    curl_easy_setopt(handle, CURLOPT_RANGE, (std::to_string(done_) + "-").c_str());
    headers.reset(curl_slist_append(nullptr, ("If-Range: " + etag_).c_str()));
    curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers.get());
  }

  Attempt Judge(CURLcode code) {
    if (cancel_.cancelled()) throw Error(ErrorCode::kCancelled, "cancelled");
    if (status_ == kRangeRefused) {
      last_error_ = "the server has no such part of '" + request_.url + "'";
      return Attempt::kStale;
    }
    if (status_ == 404 || status_ == 410) {
      throw Error(ErrorCode::kNotFound, "the server has no '" + request_.url + "'");
    }
    if (status_ == 401 || status_ == 403) {
      throw Error(ErrorCode::kDenied, "the server refuses '" + request_.url + "'");
    }
    if (code == CURLE_URL_MALFORMAT) throw Error(ErrorCode::kInvalidArgument, Describe(code));
    if (code == CURLE_TOO_MANY_REDIRECTS || code == CURLE_UNSUPPORTED_PROTOCOL) {
      throw Error(ErrorCode::kUnreachable, Describe(code));
    }
    if (code != CURLE_OK) {
      last_error_ = Describe(code);
      return Attempt::kBroken;
    }
    if (status_ != 200 && status_ != kPartial) {
      last_error_ = "the server answered " + std::to_string(status_);
      return Attempt::kBroken;
    }
    if (!begun_) Begin();  // an empty body
    if (range_ && done_ != range_->size) {
      last_error_ = "the connection ended early";
      return Attempt::kBroken;
    }
    return Attempt::kDone;
  }

  [[nodiscard]] std::string Describe(CURLcode code) const {
    return "'" + request_.url + "': " + curl_easy_strerror(code);
  }

  // Called before the first byte of a body that will be kept.
  void Begin() {
    begun_ = true;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status_);
    if (status_ == kPartial) {
      if (!range_ || range_->first != done_) {
        throw Error(ErrorCode::kUnreachable, "the server sent another range than asked for");
      }
    } else {
      Restart(0);
    }
    curl_off_t length = -1;
    curl_easy_getinfo(handle_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    total_ = length < 0 ? 0 : done_ + static_cast<std::uint64_t>(length);
    if (total_ > request_.max_bytes) RefuseSize();
    KeepEtag();
  }

  // A weak tag may stand for other bytes.
  void KeepEtag() {
    const bool strong = !new_etag_.empty() && new_etag_.front() == '"';
    if (strong && new_etag_ == etag_) return;
    std::error_code ignored;
    fs::remove(etag_file_, ignored);
    etag_ = strong ? new_etag_ : "";
    if (strong) WriteFileDurably(ops_, etag_file_, etag_);
  }

  [[noreturn]] void RefuseSize() const {
    throw Error(ErrorCode::kTooLarge, "'" + request_.url + "' is larger than " +
                                          std::to_string(request_.max_bytes) +
                                          " bytes (max_model_bytes)");
  }

  void Take(std::string_view bytes) {
    if (!begun_) {
      long status = 0;
      curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
      if (status != 200 && status != kPartial) return;  // the page that explains an error
      Begin();
    }
    if (bytes.size() > request_.max_bytes - std::min(request_.max_bytes, done_)) RefuseSize();
    ops_.Write(fd_.get(), bytes, request_.part);
    done_ += bytes.size();
  }

  static std::size_t OnBody(char* data, std::size_t /*one*/, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    try {
      transfer.Take({data, size});
      return size;
    } catch (...) {
      transfer.failure_ = std::current_exception();
      return 0;
    }
  }

  static std::size_t OnHeader(char* data, std::size_t /*one*/, std::size_t size, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view line(data, size);
    if (line.starts_with("HTTP/")) {  // of the next response, after a redirection
      transfer.range_.reset();
      transfer.new_etag_.clear();
    }
    if (const auto value = HeaderValue(line, "content-range")) {
      transfer.range_ = ParseContentRange(*value);
    }
    if (const auto value = HeaderValue(line, "etag"); value && value->size() <= kMaxEtagBytes) {
      transfer.new_etag_ = *value;
    }
    return size;
  }

  static int OnProgress(void* self, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up*/,
                        curl_off_t /*up_now*/) {
    auto& transfer = *static_cast<Transfer*>(self);
    if (transfer.cancel_.cancelled()) return 1;
    try {
      if (transfer.begun_) transfer.progress_(transfer.done_, transfer.total_);
      return 0;
    } catch (...) {
      transfer.failure_ = std::current_exception();
      return 1;
    }
  }

  const DownloadRequest& request_;
  FileOps& ops_;
  const DownloadProgress& progress_;
  const CancelFlag& cancel_;
  fs::path etag_file_;
  FileDescriptor fd_;
  CURL* handle_ = nullptr;  // of the connection in progress
  std::string etag_;        // of what the part holds
  std::string new_etag_;    // of this response
  std::optional<ContentRange> range_;
  std::uint64_t done_ = 0;   // bytes in the part
  std::uint64_t total_ = 0;  // 0: unknown
  long status_ = 0;
  bool begun_ = false;
  std::exception_ptr failure_;
  std::string last_error_;
};

void Pause(std::uint32_t pause_ms, const CancelFlag& cancel) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(pause_ms);
  while (std::chrono::steady_clock::now() < until) {
    cancel.ThrowIfCancelled();
    std::this_thread::sleep_for(kCancelPoll);
  }
}

}  // namespace

bool CanDownload() noexcept { return true; }

void Download(const DownloadRequest& request, FileOps& ops, const DownloadProgress& progress,
              const CancelFlag& cancel) {
  if (!IsWeb(request.url) || request.url.size() > kMaxUrlBytes) {
    throw Error(ErrorCode::kInvalidArgument, "'" + request.url + "' is no http or https address");
  }
  InitialiseOnce();
  Transfer transfer(request, ops, progress, cancel);
  bool stale_before = false;
  for (std::uint32_t attempt = 1;; ++attempt) {
    cancel.ThrowIfCancelled();
    const Attempt end = transfer.Run();
    if (end == Attempt::kDone) break;
    if (end == Attempt::kStale && !stale_before) {
      stale_before = true;
      transfer.StartAnew();
      continue;
    }
    if (attempt >= request.attempts) {
      throw Error(ErrorCode::kUnreachable,
                  transfer.last_error() + "; the same command goes on from there");
    }
    Pause(request.pause_ms, cancel);
  }
  transfer.Finish();
}

}  // namespace sworn::service
