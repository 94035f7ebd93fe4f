// libnvrtc.so: stands before NVIDIA's run-time compiler and writes down what it is given and what comes of it.
// CARD_MODE=check hands the source on to the real one, CARD_MODE=run compiles it for the processor. See README.md.
//
//     c++ -std=c++17 -shared -fPIC -O2 <this folder>/nvrtc.cpp -o libnvrtc.so
//
// The folder in which it was compiled must still hold card.h and state.h when it runs in the mode `run`: compile it by its absolute path.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <dlfcn.h>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <spawn.h>
#include <sstream>
#include <string>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace fs = std::filesystem;
using std::string;
extern char **environ;

namespace {

enum : int { SUCCESS = 0, COMPILATION = 6, INTERNAL_ERROR = 11 }; // nvrtcResult

struct Program {
    string source, kernel, log, ptx;
};

string setting(const char *name, const char *otherwise = "") {
    const char *value = getenv(name);
    return value && *value ? value : otherwise;
}

string read_file(const fs::path &path) {
    std::ifstream file(path, std::ios::binary);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

string fingerprint(const string &text) {
    uint64_t hash = 0xcbf29ce484222325;
    for (unsigned char byte : text) hash = (hash ^ byte) * 0x100000001b3;
    char digits[17];
    snprintf(digits, sizeof digits, "%016llx", (unsigned long long)hash);
    return digits;
}

// ---- What there is to know of a source without compiling it ----

// The number in `__launch_bounds__(256)`; 1024 where there is none.
int most_threads(const string &source) {
    size_t at = source.find("__launch_bounds__(", source.find("__global__"));
    return at == string::npos ? 1024 : atoi(source.c_str() + at + strlen("__launch_bounds__("));
}

// The kernel's name is the first word before a parenthesis after `__global__` that is no attribute.
string kernel_name(const string &source) {
    size_t at = source.find("__global__");
    while (at != string::npos) {
        size_t open = source.find('(', at);
        if (open == string::npos) break;
        size_t end = source.find_last_not_of(" \n", open - 1) + 1, start = end;
        while (start > 0 && (isalnum(source[start - 1]) || source[start - 1] == '_')) start--;
        string word = source.substr(start, end - start);
        if (word.rfind("__", 0) != 0) return word;
        at = source.find(')', open);
    }
    return "";
}

bool cooperates(const string &source) {
    for (const char *word : {"__syncthreads", "__syncwarp", "_sync(", "__activemask"})
        if (source.find(word) != string::npos) return true;
    return false;
}

// cubecl writes the definitions of types, the declarations of variables and the places in shared memory in an order that changes from process to process.
// For the cache they are sorted, and comments left out.
string in_one_order(const string &source) {
    std::vector<string> lines;
    std::istringstream text(source);
    for (string line; std::getline(text, line);) {
        if (line.empty() || line.rfind("//", 0) == 0) continue;
        if (line.rfind("struct __align__", 0) == 0)
            for (string more; line.back() != ';' && std::getline(text, more);)
                line += more.rfind("};", 0) == 0 ? "};" : more.substr(0, more.size() - 1) + ",";
        lines.push_back(line);
    }
    auto movable = [](const string &line) {
        bool variable = line.back() == ';' && std::count(line.begin(), line.end(), ' ') == 1 && line.find_first_of("=(") == string::npos;
        bool shared = line.find("reinterpret_cast") != string::npos && line.find("dynamic_shared_mem[") != string::npos;
        return line.rfind("struct __align__", 0) == 0 || shared || (variable && line.rfind("return ", 0) != 0);
    };
    string result;
    for (auto at = lines.begin(); at != lines.end();) {
        auto end = std::find_if_not(at, lines.end(), movable);
        std::sort(at, end);
        if (end != lines.end()) end++;
        for (; at != end; at++) result += *at + "\n";
    }
    return result;
}

// ---- The real compiler ----

template <class F> F *real(const char *name) {
    static void *library = [] {
        void *opened = dlopen(setting("CARD_NVRTC").c_str(), RTLD_NOW | RTLD_LOCAL);
        if (!opened) fprintf(stderr, "software card: CARD_NVRTC: %s\n", dlerror());
        return opened;
    }();
    return library ? reinterpret_cast<F *>(dlsym(library, name)) : nullptr;
}

typedef void *Handle;
string fetched(Handle handle, const char *size_name, const char *name) {
    auto size_of = real<int(Handle, size_t *)>(size_name);
    auto get = real<int(Handle, char *)>(name);
    size_t size = 0;
    if (!size_of || !get || size_of(handle, &size) != SUCCESS || size == 0) return "";
    string text(size, '\0');
    get(handle, text.data());
    text.resize(strlen(text.c_str()));
    return text;
}

// What is asked of the real compiler once is not asked again of it: its report is kept in the cache, and the driver only looks for the entry point.
int compile_for_the_card(Program &program, const string &source, const std::vector<const char *> &options) {
    // Of these only the language is checked, which takes a tenth of the time.
    const string quick = setting("CARD_QUICK");
    std::vector<string> words;
    for (string option : options) {
        size_t architecture = quick.empty() || program.kernel.find(quick) == string::npos ? string::npos : option.find("=sm_");
        if (architecture != string::npos) {
            option.replace(architecture, strlen("=sm_"), "=compute_");
            words.push_back("-Ofc=max");
        }
        words.push_back(option);
    }
    if (std::find(words.begin(), words.end(), "-Ofc=max") == words.end()) words.push_back("--ptxas-options=-v"); // the registers and what they spill, in the log
    std::vector<const char *> all;
    for (const string &word : words) all.push_back(word.c_str());

    string brief = ".visible .entry " + program.kernel + "()\n.maxntid " + std::to_string(most_threads(source)) + ", 1, 1\n", compiler = setting("CARD_NVRTC"), key = compiler;
    for (const char *option : all)
        if (!strstr(option, "-path=")) key += string(" ") + option;
    fs::path report = fs::path(setting("CARD_CACHE")) / (program.kernel.substr(0, 100) + "-" + fingerprint(key + in_one_order(source)) + ".report");
    bool keeps = !setting("CARD_CACHE").empty();
    if (compiler.empty() || (keeps && fs::exists(report))) {
        program.log = compiler.empty() ? "" : read_file(report);
        program.ptx = brief;
        return SUCCESS;
    }
    auto create = real<int(Handle *, const char *, const char *, int, const char *const *, const char *const *)>("nvrtcCreateProgram");
    auto compile = real<int(Handle, int, const char *const *)>("nvrtcCompileProgram");
    auto destroy = real<int(Handle *)>("nvrtcDestroyProgram");
    Handle handle = nullptr;
    if (!create || !compile || !destroy || create(&handle, source.c_str(), nullptr, 0, nullptr, nullptr) != SUCCESS) return INTERNAL_ERROR;
    int result = compile(handle, (int)all.size(), all.data());
    program.log = fetched(handle, "nvrtcGetProgramLogSize", "nvrtcGetProgramLog");
    if (result == SUCCESS) program.ptx = fetched(handle, "nvrtcGetPTXSize", "nvrtcGetPTX");
    destroy(&handle);
    if (result == SUCCESS && keeps) {
        std::error_code ignored;
        fs::create_directories(report.parent_path(), ignored);
        string own = report.string() + "." + std::to_string(getpid());
        std::ofstream(own) << program.log;
        fs::rename(own, report, ignored);
    }
    return result;
}

// ---- The processor's compiler ----

// Same results as nvcc's default: products and sums contract to fused ones, nothing else of "fast math". cubecl reads one type as another, and counts on
// integers that wrap.
const std::vector<string> FLAGS = {"-std=gnu++17", "-fPIC", "-O1", "-fexpensive-optimizations", "-ffp-contract=fast", "-fno-math-errno", "-fno-strict-aliasing",
                                   "-fwrapv", "-fno-semantic-interposition", "-fno-crossjumping", "-fno-reorder-blocks", "-Wno-narrowing", "-w"};

bool run_compiler(std::vector<string> arguments, const string &log) {
    std::vector<char *> pointers;
    for (string &argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, log.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    posix_spawn_file_actions_adddup2(&actions, 1, 2);
    pid_t child;
    int status = -1, failed = posix_spawnp(&child, pointers[0], &actions, nullptr, pointers.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed) return false;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

// Two compilations at a time among all processes that share a cache.
class Turn {
    int file = -1;

  public:
    explicit Turn(const fs::path &cache) {
        for (int attempt = 0;; attempt++) {
            file = open((cache / ("turn." + std::to_string(attempt % 2))).c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
            if (file < 0 || flock(file, LOCK_EX | LOCK_NB) == 0) return;
            close(file);
            usleep(5000);
        }
    }
    ~Turn() { close(file); }
};

// The header, compiled beforehand, since it is most of a kernel's compilation. Returns the path by which it is included.
string prepared_header(const fs::path &cache, const std::vector<string> &common) {
    static std::mutex once;
    std::lock_guard<std::mutex> guard(once);
    fs::path folder = fs::path(__FILE__).parent_path();
    string flags;
    for (const string &flag : common) flags += flag + " ";
    string text = read_file(folder / "card.h") + read_file(folder / "state.h");
    fs::path header = cache / ("card-" + fingerprint(text + flags) + ".h"), compiled = header.string() + ".gch";
    if (!fs::exists(compiled)) {
        // Under names of its own until they are whole: other processes may be at it too.
        string own = (cache / ("card." + std::to_string(getpid()))).string();
        std::ofstream(own + ".h") << "#include \"" << (folder / "card.h").string() << "\"\n";
        fs::rename(own + ".h", header);
        std::vector<string> arguments = common;
        arguments.insert(arguments.end(), {"-x", "c++-header", header.string(), "-o", own + ".gch"});
        std::error_code ignored;
        // Without it everything works as well, slowly; and if the header itself is wrong, the first kernel shows it.
        if (run_compiler(arguments, own + ".log")) fs::rename(own + ".gch", compiled, ignored);
        fs::remove(own + ".log", ignored);
    }
    return header.string();
}

int compile_for_the_processor(Program &program, const string &source, const std::vector<const char *> &options) {
    static const fs::path cache = [] {
        string given = setting("CARD_CACHE");
        if (!given.empty()) {
            fs::create_directories(given);
            return fs::absolute(given);
        }
        string made = (fs::temp_directory_path() / "software-card-XXXXXX").string();
        return fs::path(mkdtemp(made.data()));
    }();
    std::vector<string> common = {setting("CARD_CXX", "g++")};
    common.insert(common.end(), FLAGS.begin(), FLAGS.end());
#ifdef __x86_64__
    if (__builtin_cpu_supports("fma") && __builtin_cpu_supports("avx2")) common.insert(common.end(), {"-mfma", "-mavx2", "-mf16c"});
#endif
    for (const char *option : options)
        if (strncmp(option, "--include-path=", 15) == 0) common.insert(common.end(), {"-isystem", option + 15});
    string header = prepared_header(cache, common);
    string whole = source + "\nCARD_KERNEL(" + program.kernel + ", " + std::to_string(cooperates(source)) + ", " + std::to_string(most_threads(source)) + ")\n";
    string name = program.kernel.substr(0, 100) + "-" + fingerprint(header + in_one_order(whole));
    fs::path object = cache / (name + ".so");
    if (!fs::exists(object)) {
        Turn turn(cache);
        // Another process may have compiled it meanwhile; what it compiled is whole, for it was renamed.
        fs::path own = cache / (name + "." + std::to_string(getpid())), file = own.string() + ".cpp";
        std::ofstream(file) << whole;
        std::vector<string> arguments = common;
        arguments.insert(arguments.end(), {"-shared", "-include", header, file.string(), "-o", own.string(), "-Wl,-Bsymbolic"});
        bool compiled = fs::exists(object) || run_compiler(arguments, own.string() + ".log");
        program.log = read_file(own.string() + ".log");
        std::error_code ignored;
        fs::remove(file, ignored);
        fs::remove(own.string() + ".log", ignored);
        if (!compiled) return COMPILATION;
        fs::rename(own, object, ignored);
    }
    program.ptx = "software card " + object.string() + "\n";
    return SUCCESS;
}

// ---- What is written down ----

// The number before a word of ptxas's report: "0 bytes stack frame, 16 bytes spill stores, 24 bytes spill loads", "Used 40 registers". -1 without a report.
int reported(const string &log, const char *word) {
    size_t at = log.find(word);
    if (at == string::npos) return -1;
    size_t end = log.find_last_of("0123456789", at), start = end;
    if (end == string::npos) return -1;
    while (start > 0 && isdigit(log[start - 1])) start--;
    return atoi(log.c_str() + start);
}

string quoted(const string &text) {
    string result = "\"";
    for (char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += (unsigned char)c < ' ' ? ' ' : c;
    }
    return result + "\"";
}

void write_down(const Program &program, const string &source, const std::vector<const char *> &options, int result, double seconds) {
    static std::mutex once;
    std::lock_guard<std::mutex> guard(once);
    fs::path folder = setting("CARD_LOG");
    if (folder.empty()) return;
    string name = program.kernel.substr(0, 100) + "-" + fingerprint(source);
    std::ofstream(folder / (name + ".cu")) << source;
    std::ofstream(folder / (name + ".log")) << program.log;
    std::ofstream line(folder / ("compilations." + std::to_string(getpid()) + ".jsonl"), std::ios::app);
    line << "{\"kernel\":" << quoted(program.kernel) << ",\"result\":" << result << ",\"seconds\":" << seconds << ",\"registers\":" << reported(program.log, " registers")
         << ",\"stack\":" << reported(program.log, " bytes stack frame") << ",\"spill_stores\":" << reported(program.log, " bytes spill stores")
         << ",\"spill_loads\":" << reported(program.log, " bytes spill loads") << ",\"source\":" << quoted(name + ".cu") << ",\"options\":[";
    for (size_t i = 0; i < options.size(); i++) line << (i ? "," : "") << quoted(options[i]);
    line << "]}\n";
}

double now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
}

int give(const string &text, char *to) {
    memcpy(to, text.c_str(), text.size() + 1);
    return SUCCESS;
}

} // namespace

extern "C" {

int nvrtcVersion(int *major, int *minor) {
    *major = 12;
    *minor = 8;
    return SUCCESS;
}

int nvrtcCreateProgram(Program **program, const char *source, const char *, int, const char *const *, const char *const *) {
    *program = new Program{source, kernel_name(source), "", ""};
    return SUCCESS;
}

int nvrtcDestroyProgram(Program **program) {
    delete *program;
    *program = nullptr;
    return SUCCESS;
}

int nvrtcCompileProgram(Program *program, int count, const char *const *given) {
    std::vector<const char *> options(given, given + count);
    string source = program->source, failing = setting("CARD_FAIL_COMPILE");
    if (!failing.empty() && program->kernel.find(failing) != string::npos && source.find(setting("CARD_FAIL_SOURCE")) != string::npos) source += "\n#error CARD_FAIL_COMPILE asks for this\n";
    double start = now();
    int result = setting("CARD_MODE") == "run" ? compile_for_the_processor(*program, source, options) : compile_for_the_card(*program, source, options);
    write_down(*program, source, options, result, now() - start);
    return result;
}

int nvrtcGetProgramLogSize(Program *program, size_t *size) {
    *size = program->log.size() + 1;
    return SUCCESS;
}
int nvrtcGetProgramLog(Program *program, char *to) { return give(program->log, to); }
int nvrtcGetPTXSize(Program *program, size_t *size) {
    *size = program->ptx.size() + 1;
    return SUCCESS;
}
int nvrtcGetPTX(Program *program, char *to) { return give(program->ptx, to); }

const char *nvrtcGetErrorString(int result) { return result == SUCCESS ? "NVRTC_SUCCESS" : result == COMPILATION ? "NVRTC_ERROR_COMPILATION" : "NVRTC_ERROR_INTERNAL_ERROR"; }
}
