# Writes chips into a file that Target.cpp includes: cmake -DOUTPUT=... -DCHIPS=a.json,b.json -P EmbedChips.cmake
string(REPLACE "," ";" CHIPS "${CHIPS}")
set(text "")
foreach(chip IN LISTS CHIPS)
  get_filename_component(name ${chip} NAME_WE)
  file(READ ${chip} json)
  string(APPEND text "{\"${name}\", R\"json(${json})json\"},\n")
endforeach()
file(WRITE ${OUTPUT} "${text}")
