# INPUT (a text file) -> OUTPUT: its bytes as a list of character codes, to be included in an array's initialiser.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "(..)" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE ",$" "" bytes "${bytes}")
file(WRITE ${OUTPUT} "${bytes}\n")
