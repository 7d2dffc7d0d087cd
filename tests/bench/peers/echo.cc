// The echo of tests/bench by gRPC C++'s callback interface: any method is answered with its request, a message of one field of bytes. Its
// first line says where it listens.
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>
#include <google/protobuf/wrappers.pb.h>

#include <cstdio>
#include <memory>

namespace {

using google::protobuf::BytesValue;

class Echo : public grpc::ServerGenericBidiReactor {
  public:
    Echo() { StartRead(&request_); }

    void OnReadDone(bool is_good) override
    {
        if (!is_good) {
            Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "no message"));
            return;
        }
        BytesValue message;
        grpc::Status status = grpc::SerializationTraits<BytesValue>::Deserialize(&request_, &message);
        bool is_own;
        if (status.ok())
            status = grpc::SerializationTraits<BytesValue>::Serialize(message, &reply_, &is_own);
        if (status.ok())
            StartWriteAndFinish(&reply_, grpc::WriteOptions(), status);
        else
            Finish(status);
    }

    void OnDone() override { delete this; }

  private:
    grpc::ByteBuffer request_, reply_;
};

class EchoService : public grpc::CallbackGenericService {
    grpc::ServerGenericBidiReactor *CreateReactor(grpc::GenericCallbackServerContext *) override { return new Echo; }
};

} // namespace

int main()
{
    EchoService service;
    grpc::ServerBuilder builder;
    int port = 0;

    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterCallbackGenericService(&service);
    std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
    if (!server)
        return 1;
    std::printf("{\"port\":%d}\n", port);
    std::fflush(stdout);
    server->Wait();
}
