// A web server of one file for tests: ranges, ETags, and connections that break off.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sworn::test {

/// Listens on 127.0.0.1 at a free port until it is destroyed, one connection at a time. Members may
/// be changed between requests.
class HttpServer {
 public:
  std::string path = "/model.gguf";
  std::string body;
  std::string etag = "\"v1\"";  // empty: none
  bool ranges = true;
  bool length = true;                                               // send Content-Length
  std::size_t cut_after = std::numeric_limits<std::size_t>::max();  // bytes of a body
  int cuts = 0;                                                     // that many responses are cut
  std::string redirect_to;                                          // a 302 for every other path

  HttpServer() {
    socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (socket_ < 0 || ::bind(socket_, generic, size) != 0 || ::listen(socket_, 8) != 0 ||
        ::getsockname(socket_, generic, &size) != 0) {
      throw std::runtime_error("cannot listen on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Serve(); });
  }

  ~HttpServer() {
    stopping_ = true;
    ::shutdown(socket_, SHUT_RDWR);
    thread_.join();
    ::close(socket_);
  }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::string base() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::string url() const { return base() + path; }

  /// The heads of all requests, in their order.
  [[nodiscard]] std::vector<std::string> requests() const {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  void Serve() {
    while (!stopping_) {
      const int client = ::accept(socket_, nullptr, nullptr);
      if (client < 0) continue;
      Answer(client);
      ::shutdown(client, SHUT_RDWR);
      ::close(client);
    }
  }

  static std::string ReadHead(int client) {
    std::string head;
    std::array<char, 4096> buffer{};
    while (head.find("\r\n\r\n") == std::string::npos) {
      const ssize_t got = ::recv(client, buffer.data(), buffer.size(), 0);
      if (got <= 0) break;
      head.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return head;
  }

  static void Send(int client, const std::string& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
      const ssize_t now = ::send(client, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (now <= 0) return;
      sent += static_cast<std::size_t>(now);
    }
  }

  void Answer(int client) {
    const std::string head = ReadHead(client);
    {
      const std::lock_guard lock(mutex_);
      requests_.push_back(head);
    }
    if (head.find("GET " + path + " ") != 0) {
      const std::string where = redirect_to.empty() ? "" : "Location: " + redirect_to + "\r\n";
      const std::string status = redirect_to.empty() ? "404 Not Found" : "302 Found";
      Send(client, "HTTP/1.1 " + status + "\r\n" + where + "Content-Length: 4\r\n\r\nnone");
      return;
    }
    std::size_t first = 0;
    const std::size_t range = head.find("\r\nRange: bytes=");
    const bool same = !etag.empty() && head.find("\r\nIf-Range: " + etag) != std::string::npos;
    if (ranges && same && range != std::string::npos) {
      first = std::strtoull(head.c_str() + range + 15, nullptr, 10);
    }
    std::string answer = first > 0 ? "HTTP/1.1 206 Partial Content\r\n" : "HTTP/1.1 200 OK\r\n";
    if (first > 0) {
      answer += "Content-Range: bytes " + std::to_string(first) + "-" +
                std::to_string(body.size() - 1) + "/" + std::to_string(body.size()) + "\r\n";
    }
    if (!etag.empty()) answer += "ETag: " + etag + "\r\n";
    std::string rest = body.substr(first);
    if (length) answer += "Content-Length: " + std::to_string(rest.size()) + "\r\n";
    answer += "Connection: close\r\n\r\n";
    if (cuts > 0 && rest.size() > cut_after) {
      --cuts;
      rest.resize(cut_after);
    }
    Send(client, answer + rest);
  }

  int socket_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> stopping_{false};
  mutable std::mutex mutex_;  // guards requests_
  std::vector<std::string> requests_;
  std::thread thread_;
};

}  // namespace sworn::test
