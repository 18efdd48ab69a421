// Entrenous carries messages and calls straight between friends.
package main

import (
	"os"

	"github.com/entrenous/entrenous/app"
)

func main() { os.Exit(app.Main(os.Args[1:])) }
