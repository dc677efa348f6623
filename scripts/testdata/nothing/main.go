// This program does nothing. It tells whether the machine runs the programs of a system.
package main

func main() {}
