/* What wine 8 (Debian 12) lacks and Rust's own library asks Windows for: random bytes. Later wines and every Windows since Vista have it. For tests only. */
#include <windows.h>
#include <ntsecapi.h>

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count)
{
    return RtlGenRandom(bytes, (ULONG)count);
}
