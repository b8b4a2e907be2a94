// mcpgraft for C++17: handles that free themselves, std::string_view, exceptions. Everything else is mcpgraft.h.
// SPDX-License-Identifier: MIT OR Apache-2.0
#ifndef MCPGRAFT_HPP
#define MCPGRAFT_HPP

#include "mcpgraft.h"

#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

namespace mcpgraft {

/// A text as the library takes it. An empty view is an empty text; see `none` for an absent one.
inline mcpgraft_str text(std::string_view view) noexcept
{
    return {view.data() == nullptr ? "" : view.data(), view.size()};
}

/// No text.
inline constexpr mcpgraft_str none{nullptr, 0};

/// A text as the library gives it; empty if it is absent.
inline std::string_view view(mcpgraft_str text) noexcept
{
    return text.ptr == nullptr ? std::string_view{} : std::string_view{text.ptr, text.len};
}

/// A call that did nothing: why, and the status.
class Error : public std::runtime_error {
public:
    Error(mcpgraft_status code, const void *handle)
        : std::runtime_error(std::string(view(mcpgraft_status_name(code))) + ": " +
                             std::string(view(mcpgraft_detail(handle)))),
          status(code)
    {
    }

    mcpgraft_status status;
};

/// Throws unless the status is `MCPGRAFT_OK`.
inline void check(mcpgraft_status status, const void *handle = nullptr)
{
    if (status != MCPGRAFT_OK)
        throw Error(status, handle);
}

struct Free {
    void operator()(void *handle) const noexcept { mcpgraft_free(handle); }
};

template <class T> using Handle = std::unique_ptr<T, Free>;

/// An event with its size set.
struct Event : mcpgraft_event {
    Event() noexcept : mcpgraft_event{} { struct_size = sizeof(mcpgraft_event); }
};

/// A session or an exchange.
class Peer {
public:
    explicit Peer(mcpgraft_peer *peer) noexcept : peer_(peer) {}

    mcpgraft_peer *get() const noexcept { return peer_.get(); }

    Event accept(std::string_view message)
    {
        return with([&](Event &event) { return mcpgraft_session_accept(get(), text(message), &event); });
    }
    /// Tells the peer of a session that its message was too long to be kept.
    Event too_long()
    {
        return with([&](Event &event) { return mcpgraft_session_accept(get(), none, &event); });
    }
    Event next()
    {
        return with([&](Event &event) { return mcpgraft_next(get(), &event); });
    }
    Event reply(std::uint64_t key, std::string_view result)
    {
        return with([&](Event &event) { return mcpgraft_reply(get(), key, text(result), &event); });
    }
    Event fail(std::uint64_t key, mcpgraft_failure failure, std::string_view message)
    {
        return with([&](Event &event) { return mcpgraft_fail(get(), key, failure, text(message), 0, none, &event); });
    }
    /// Tells the client something that is no answer: see `mcpgraft_news`.
    Event notify(mcpgraft_news news, mcpgraft_str subject = none, mcpgraft_str more = none, std::uint64_t key = 0)
    {
        return with([&](Event &event) { return mcpgraft_notify(get(), key, news, subject, more, &event); });
    }
    /// `total` NAN: not known.
    Event progress(std::uint64_t key, double progress, double total, mcpgraft_str message = none)
    {
        return with([&](Event &event) { return mcpgraft_progress(get(), key, none, progress, total, message, &event); });
    }
    /// Takes back what nobody waits for any more: see `mcpgraft_loss`. The call that was, or 0.
    std::uint64_t lost(mcpgraft_loss loss, mcpgraft_str id = none)
    {
        std::uint64_t key = 0;
        mcpgraft::check(mcpgraft_lost(get(), loss, id, &key), get());
        return key;
    }
    bool is_cancelled(std::uint64_t key)
    {
        bool cancelled = false;
        mcpgraft::check(mcpgraft_is_cancelled(get(), key, &cancelled), get());
        return cancelled;
    }
    /// What is wrong with a value (JSON), for the model; empty if it fits. Valid until the next check. Throws
    /// `MCPGRAFT_NOT_ALLOWED` where the library was built without validation.
    std::string_view check(std::string_view tool, mcpgraft_schema schema, std::string_view value)
    {
        mcpgraft_str problem{};
        mcpgraft::check(mcpgraft_check(get(), text(tool), schema, text(value), &problem), get());
        return view(problem);
    }

private:
    template <class Call> Event with(Call call)
    {
        Event event;
        mcpgraft::check(call(event), get());
        return event;
    }

    Handle<mcpgraft_peer> peer_;
};

/// What is offered.
class Server {
public:
    /// `info`: a JSON object with `name` and `version`.
    explicit Server(std::string_view info)
    {
        mcpgraft_server *made = nullptr;
        check(mcpgraft_server_new(&made));
        server_.reset(made);
        set("info", info);
    }

    mcpgraft_server *get() const noexcept { return server_.get(); }

    void set(std::string_view name, std::string_view value)
    {
        check(mcpgraft_server_set(get(), text(name), text(value)), get());
    }
    void put(mcpgraft_kind kind, std::string_view definition)
    {
        check(mcpgraft_server_put(get(), kind, text(definition)), get());
    }
    Peer session() const { return made(mcpgraft_session_new); }
    Peer exchange() const { return made(mcpgraft_exchange_new); }

private:
    template <class New> Peer made(New make) const
    {
        mcpgraft_peer *peer = nullptr;
        check(make(get(), &peer));
        return Peer(peer);
    }

    Handle<mcpgraft_server> server_;
};

} // namespace mcpgraft

#endif
