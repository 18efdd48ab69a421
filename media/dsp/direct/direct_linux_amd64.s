#include "textflag.h"

// func call(fn, arg, top unsafe.Pointer)
//
// Of the registers that C keeps (System V ABI, AMD64, §3.2.1) Go needs R14, BP
// and SP, which waits in BX. Signals come on a stack of their own.
TEXT ·call(SB), NOSPLIT, $0-24
	MOVQ fn+0(FP), AX
	MOVQ arg+8(FP), DI
	MOVQ top+16(FP), CX
	MOVQ SP, BX
	ANDQ $~15, CX
	MOVQ CX, SP
	CLD
	CALL AX
	MOVQ BX, SP
	RET
