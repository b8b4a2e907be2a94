"""Messages that no server may send: revision, message, the method it answers. The oracle has to find each of them."""

J = '{"jsonrpc":"2.0",'
NEWEST = "2026-07-28"

BROKEN = [
    (NEWEST, J + '"id":1,"result":{"content":[]}}', "tools/call"),
    (NEWEST, J + '"id":1,"result":{"resultType":"complete"}}', "tools/call"),
    (NEWEST, J + '"id":1,"result":{"resultType":"complete","tools":[]}}', "tools/list"),
    (
        NEWEST,
        J + '"id":1,"result":{"resultType":"complete","ttlMs":-1,"cacheScope":"private","tools":[]}}',
        "tools/list",
    ),
    (NEWEST, J + '"id":1,"result":{"resultType":"input_required"}}', "completion/complete"),
    (NEWEST, J + '"id":1,"error":{"code":-32002,"message":"x"}}', "resources/read"),
    (NEWEST, J + '"id":1,"method":"roots/list"}', None),
    ("2025-11-25", J + '"id":1,"error":{"code":-32021,"message":"x"}}', None),
    ("2025-11-25", J + '"id":1,"error":{"code":-32602,"message":""}}', None),
    ("2025-11-25", J + '"id":1,"error":{"code":-32002,"message":"x"},"result":{}}', None),
    ("2025-11-25", J + '"id":null,"method":"roots/list"}', None),
    ("2025-11-25", J + '"method":"notifications/progress","params":{"progress":1}}', None),
    ("2025-11-25", J + '"id":1,"result":{"_meta":{"io.modelcontextprotocol/own":1}}}', None),
    ("2025-11-25", J + '"id":1,"result":{"_meta":{"-/x":1}}}', None),
    ("2025-11-25", J + '"id":1,"result":{"protocolVersion":"2025-11-25","capabilities":{}}}', "initialize"),
    ("2025-11-25", J + '"id":1,"result":{"content":[],"resultType":"complete"}}', "tools/call"),
    ("2025-11-25", J + '"id":1,"result":{"task":{"taskId":"t","status":"working"}}}', "tools/call"),
    ("2025-11-25", J + '"id":1,"result":{"taskId":"t","status":"done"}}', "tasks/get"),
    ("2025-11-25", J + '"method":"notifications/tasks/status","params":{"taskId":"t"}}', None),
    ("2025-11-25", "[" + J + '"id":1,"result":{}}]', None),
    ("2025-06-18", J + '"id":1,"result":{"content":[{"type":"image","data":"?","mimeType":"a/b"}]}}', "tools/call"),
    ("2025-06-18", J + '"id":1,"result":{"tools":[{"name":"x","inputSchema":{"type":"array"}}]}}', "tools/list"),
    ("2025-03-26", J + '"id":1,"result":{"content":[{"type":"resource_link","uri":"a:b","name":"x"}]}}', "tools/call"),
    ("2025-03-26", "[]", None),
    ("2024-11-05", J + '"id":1,"result":{"content":[{"type":"audio","data":"","mimeType":"a/b"}]}}', "tools/call"),
    ("2024-11-05", J + '"id":1,"result":{"tools":[{"name":"x"}]}}', "tools/list"),
]
