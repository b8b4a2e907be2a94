// A net/http server that has gained /mcp, through cgo and pkg-config:
//
//	go run . 8080          serves on 127.0.0.1:8080
//	go run . -check        asks itself, and says whether the answers are right
package main

/*
#cgo pkg-config: mcpgraft
#include <stdlib.h>
#include <string.h>
#include <mcpgraft.h>

// Go may not keep pointers to its memory in C structures: the head of a request is copied to C's.
static mcpgraft_status begin(struct mcpgraft_peer *peer, char *text, size_t *lengths, size_t headers, uint32_t flags,
                             struct mcpgraft_event *event)
{
	struct mcpgraft_header *list = calloc(headers + 1, sizeof *list);
	struct mcpgraft_request request;
	mcpgraft_status status;
	size_t i;
	if (list == NULL)
		return MCPGRAFT_NO_MEMORY;
	memset(&request, 0, sizeof request);
	request.struct_size = sizeof request;
	request.method.ptr = text;
	text += request.method.len = *lengths++;
	for (i = 0; i < headers; i++) {
		list[i].name.ptr = text;
		text += list[i].name.len = *lengths++;
		list[i].value.ptr = text;
		text += list[i].value.len = *lengths++;
	}
	request.headers = list;
	request.header_count = headers;
	request.flags = flags;
	status = mcpgraft_exchange_begin(peer, &request, event);
	free(list);
	return status;
}

static mcpgraft_status take(struct mcpgraft_peer *peer, char *body, size_t len, struct mcpgraft_event *event)
{
	struct mcpgraft_str text = {body, len}, none = {NULL, 0};
	return mcpgraft_exchange_accept(peer, text, none, event);
}

static mcpgraft_status answer(struct mcpgraft_peer *peer, uint64_t key, char *result, size_t len, struct mcpgraft_event *event)
{
	struct mcpgraft_str text = {result, len};
	return mcpgraft_reply(peer, key, text, event);
}

static mcpgraft_status refuse(struct mcpgraft_peer *peer, uint64_t key, char *why, struct mcpgraft_event *event)
{
	struct mcpgraft_str text = {why, strlen(why)}, none = {NULL, 0};
	return mcpgraft_fail(peer, key, MCPGRAFT_FAIL_TOOL, text, 0, none, event);
}

static mcpgraft_status tell(struct mcpgraft_peer *peer, uint64_t key, double done, double total, struct mcpgraft_event *event)
{
	struct mcpgraft_str none = {NULL, 0};
	return mcpgraft_progress(peer, key, none, done, total, none, event);
}

static mcpgraft_status set(struct mcpgraft_server *server, char *name, char *value)
{
	struct mcpgraft_str a = {name, strlen(name)}, b = {value, strlen(value)};
	return mcpgraft_server_set(server, a, b);
}

static mcpgraft_status put(struct mcpgraft_server *server, char *tool)
{
	struct mcpgraft_str a = {tool, strlen(tool)};
	return mcpgraft_server_put(server, MCPGRAFT_TOOL, a);
}
*/
import "C"

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"unsafe"
)

// Server serves MCP at whatever path it is mounted.
type Server struct{ handle *C.struct_mcpgraft_server }

func must(status C.mcpgraft_status, handle unsafe.Pointer) {
	if status != C.MCPGRAFT_OK {
		panic(fmt.Sprintf("mcpgraft: %s: %s", text(C.mcpgraft_status_name(C.uint32_t(status))), text(C.mcpgraft_detail(handle))))
	}
}

func text(view C.struct_mcpgraft_str) string {
	return C.GoStringN(view.ptr, C.int(view.len))
}

func newServer() *Server {
	var server *C.struct_mcpgraft_server
	must(C.mcpgraft_server_new(&server), nil)
	info, value := C.CString("info"), C.CString(`{"name":"go","version":"1.0"}`)
	tool := C.CString(`{"name":"greet","description":"Greets.","inputSchema":{"type":"object",` +
		`"properties":{"name":{"type":"string"}},"required":["name"]}}`)
	defer C.free(unsafe.Pointer(info))
	defer C.free(unsafe.Pointer(value))
	defer C.free(unsafe.Pointer(tool))
	must(C.set(server, info, value), unsafe.Pointer(server))
	must(C.put(server, tool), unsafe.Pointer(server))
	return &Server{server}
}

// write sends what an event says, and reports whether the response is complete.
func write(w http.ResponseWriter, event *C.struct_mcpgraft_event) bool {
	if event.status != 0 {
		for _, header := range unsafe.Slice(event.headers, int(event.header_count)) {
			w.Header().Set(text(header.name), text(header.value))
		}
		w.WriteHeader(int(event.status))
	}
	// Even an empty write would send a status of its own.
	if event.send.len > 0 {
		io.WriteString(w, text(event.send))
		if flusher, ok := w.(http.Flusher); ok {
			flusher.Flush()
		}
	}
	return bool(event.end)
}

func (server *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var peer *C.struct_mcpgraft_peer
	must(C.mcpgraft_exchange_new(server.handle, &peer), nil)
	defer C.mcpgraft_free(unsafe.Pointer(peer))
	event := (*C.struct_mcpgraft_event)(C.calloc(1, C.sizeof_struct_mcpgraft_event))
	defer C.free(unsafe.Pointer(event))
	event.struct_size = C.sizeof_struct_mcpgraft_event

	head, lengths, headers := r.Method, []C.size_t{C.size_t(len(r.Method))}, 0
	add := func(name, value string) {
		head += name + value
		lengths = append(lengths, C.size_t(len(name)), C.size_t(len(value)))
		headers++
	}
	add("Host", r.Host) // net/http takes it out of the headers
	for name, values := range r.Header {
		for _, value := range values {
			add(name, value)
		}
	}
	flags := C.uint32_t(C.MCPGRAFT_STREAMS)
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		if net.ParseIP(host).IsLoopback() {
			flags |= C.MCPGRAFT_PEER_LOCAL
		} else {
			flags |= C.MCPGRAFT_PEER_REMOTE
		}
	}
	copied := C.CString(head)
	defer C.free(unsafe.Pointer(copied))
	must(C.begin(peer, copied, &lengths[0], C.size_t(headers), flags, event), unsafe.Pointer(peer))
	if event.kind != C.MCPGRAFT_READ_BODY {
		write(w, event)
		return
	}
	// One byte more than fits is enough for the library to refuse it.
	body, err := io.ReadAll(io.LimitReader(r.Body, int64(event.max_body)+1))
	if err != nil {
		return
	}
	message := C.CBytes(body)
	defer C.free(message)
	must(C.take(peer, (*C.char)(message), C.size_t(len(body)), event), unsafe.Pointer(peer))
	for {
		if event.kind == C.MCPGRAFT_CALL {
			server.call(w, peer, event)
		} else {
			write(w, event)
		}
		if !event.more {
			return
		}
		must(C.mcpgraft_next(peer, event), unsafe.Pointer(peer))
	}
}

// call runs the one tool.
func (server *Server) call(w http.ResponseWriter, peer *C.struct_mcpgraft_peer, event *C.struct_mcpgraft_event) {
	var arguments struct{ Name string }
	key, batched := event.key, event.more
	if err := json.Unmarshal([]byte(text(event.arguments)), &arguments); err != nil || arguments.Name == "" {
		why := C.CString("name must be a string that is not empty.")
		defer C.free(unsafe.Pointer(why))
		must(C.refuse(peer, key, why, event), unsafe.Pointer(peer))
		write(w, event)
		return
	}
	if !batched {
		for done := 1; done <= 2; done++ {
			must(C.tell(peer, key, C.double(done), 2, event), unsafe.Pointer(peer))
			write(w, event)
		}
	}
	content := map[string]any{"content": []any{map[string]any{"type": "text", "text": "Hello, " + arguments.Name + "!"}}}
	result, _ := json.Marshal(content)
	copied := C.CBytes(result)
	defer C.free(copied)
	must(C.answer(peer, key, (*C.char)(copied), C.size_t(len(result)), event), unsafe.Pointer(peer))
	write(w, event)
}

func check(handler http.Handler) error {
	host := httptest.NewServer(handler)
	defer host.Close()
	ask := func(accept, meta string) (string, string, error) {
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"greet","arguments":{"name":"Ada"}` + meta + `}}`
		request, _ := http.NewRequest("POST", host.URL+"/mcp", strings.NewReader(body))
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Accept", accept)
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return "", "", err
		}
		defer response.Body.Close()
		said, err := io.ReadAll(response.Body)
		return response.Header.Get("Content-Type"), string(said), err
	}
	kind, said, err := ask("application/json", "")
	if err != nil || kind != "application/json" || !strings.Contains(said, "Hello, Ada!") {
		return fmt.Errorf("one object: %v %q %q", err, kind, said)
	}
	kind, said, err = ask("application/json, text/event-stream", `,"_meta":{"progressToken":1}`)
	if err != nil || kind != "text/event-stream" || strings.Count(said, "data: ") != 3 {
		return fmt.Errorf("a stream: %v %q %q", err, kind, said)
	}
	return nil
}

func main() {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "the application's own page") })
	mux.Handle("/mcp", newServer())
	if len(os.Args) == 2 && os.Args[1] == "-check" {
		if err := check(mux); err != nil {
			fmt.Fprintln(os.Stderr, "go:", err)
			os.Exit(1)
		}
		fmt.Println("go: passed")
		return
	}
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: go run . (PORT | -check)")
		os.Exit(2)
	}
	fmt.Fprintln(os.Stderr, http.ListenAndServe("127.0.0.1:"+os.Args[1], mux))
}
