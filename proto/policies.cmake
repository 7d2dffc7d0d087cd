# Fails when a method of the descriptor set SET has no policy, or one that says neither OPEN nor which scope it asks for.
# -DPROTOC=… -DSET=… -DROOT=… -DINCLUDE=… -DOUT=…
execute_process(
  COMMAND ${PROTOC} -I${ROOT} -I${INCLUDE} --decode=google.protobuf.FileDescriptorSet
    google/protobuf/descriptor.proto throughline/api/v1/options.proto
  INPUT_FILE ${SET} OUTPUT_VARIABLE text RESULT_VARIABLE result)
if(result)
  message(FATAL_ERROR "the descriptor set cannot be read")
endif()
set(method "\n    method {\n      name: \"[A-Za-z0-9]+\"")
string(REGEX REPLACE "${method}\n      input_type: \"[^\"]+\"\n      output_type: \"[^\"]+\"\n      options {\n        \\[throughline\\.api\\.v1\\.policy\\] {\n          access: (OPEN|SCOPE\n          scope: \"[a-z._]+\")\n"
  "" others "${text}")
string(REGEX MATCHALL "${method}" others "${others}")
if(others)
  string(REGEX REPLACE "[^A-Za-z0-9;]*method {\n *name: " "" others "${others}")
  message(FATAL_ERROR "methods without a policy: ${others}")
endif()
file(WRITE ${OUT} "")
