module example.org/mcpgraft

go 1.19
