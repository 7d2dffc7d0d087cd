# Writes the tables of all message and service descriptors that the generated headers declare.
string(REPLACE "," ";" SOURCES "${SOURCES}")
set(includes "")
set(names "")
set(services "")
foreach(source ${SOURCES})
  string(REGEX REPLACE "\\.c$" ".h" header ${source})
  file(RELATIVE_PATH relative ${ROOT} ${header})
  string(APPEND includes "#include \"${relative}\"\n")
  file(STRINGS ${header} lines REGEX "^extern const ProtobufCMessageDescriptor ")
  foreach(line ${lines})
    string(REGEX REPLACE "^extern const ProtobufCMessageDescriptor (.*)$" "\\1" name "${line}")
    list(APPEND names ${name})
  endforeach()
  file(STRINGS ${header} lines REGEX "^extern const ProtobufCServiceDescriptor ")
  foreach(line ${lines})
    string(REGEX REPLACE "^extern const ProtobufCServiceDescriptor (.*)$" "\\1" name "${line}")
    list(APPEND services ${name})
  endforeach()
endforeach()
list(SORT names)
list(SORT services)
string(REPLACE ";" ",\n    &" table "${names}")
string(REPLACE ";" ",\n    &" service_table "${services}")
file(WRITE ${OUT} "#include \"descriptor_set.h\"\n${includes}
const ProtobufCMessageDescriptor *const throughline_messages[] = {\n    &${table},\n};
const size_t throughline_n_messages = sizeof(throughline_messages) / sizeof(*throughline_messages);
const ProtobufCServiceDescriptor *const throughline_services[] = {\n    &${service_table},\n};
const size_t throughline_n_services = sizeof(throughline_services) / sizeof(*throughline_services);\n")
