/* A program outside this repository that uses what was installed: header and library say the same of themselves. */
#include <mcpgraft.h>

#include <stdio.h>
#include <string.h>

int main(void)
{
    struct mcpgraft_str version = mcpgraft_version();
    char header[32];
    unsigned number = MCPGRAFT_VERSION_MAJOR << 16 | MCPGRAFT_VERSION_MINOR << 8 | MCPGRAFT_VERSION_PATCH;
    sprintf(header, "%d.%d.%d", MCPGRAFT_VERSION_MAJOR, MCPGRAFT_VERSION_MINOR, MCPGRAFT_VERSION_PATCH);
    puts(version.ptr);
    return !(version.len == strlen(header) && strcmp(version.ptr, header) == 0 && number == MCPGRAFT_VERSION_NUMBER &&
             mcpgraft_abi_version() == MCPGRAFT_ABI_VERSION);
}
